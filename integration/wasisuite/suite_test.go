package wasisuite

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const branch = "prod/testsuite-base"

// program is one of the suite's, with what it needs and what is expected of it: the suite's document specification.md has the fields.
type program struct {
	name string // "rust/path_link"
	file string
	spec struct {
		Args     []string          `json:"args"`
		Env      map[string]string `json:"env"`
		Root     string            `json:"root"` // beside the file
		ExitCode int               `json:"exit_code"`
		Stdout   *string           `json:"stdout"`
	}
}

// programs unpacks the suite and returns its programs for WASI 0.1.
func programs(t *testing.T) []*program {
	t.Helper()
	repo := os.Getenv("MAYFLY_WASI_TESTSUITE")
	if repo == "" {
		t.Skip("set MAYFLY_WASI_TESTSUITE to a git repository of WebAssembly/wasi-testsuite")
	}
	dir := t.TempDir()
	archive := exec.Command("git", "-C", repo, "archive", branch, "tests/rust/testsuite", "tests/c/testsuite", "tests/assemblyscript/testsuite")
	extract := exec.Command("tar", "-x", "-C", dir)
	var err error
	if extract.Stdin, err = archive.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	archive.Stderr, extract.Stderr = os.Stderr, os.Stderr
	if err := extract.Start(); err != nil {
		t.Fatal(err)
	}
	if err := archive.Run(); err != nil {
		t.Fatalf("git archive of %s: %v: is it there? git fetch origin %s", branch, err, branch)
	}
	if err := extract.Wait(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "tests/*/testsuite/wasm32-wasip1/*.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs in %s: %v", branch, err)
	}
	var all []*program
	for _, file := range files {
		all = append(all, readProgram(t, dir, file))
	}
	return all
}

func readProgram(t *testing.T, dir, file string) *program {
	t.Helper()
	language, _, _ := strings.Cut(strings.TrimPrefix(file, filepath.Join(dir, "tests")+"/"), "/")
	p := &program{name: language + "/" + strings.TrimSuffix(filepath.Base(file), ".wasm"), file: file}
	f, err := os.Open(strings.TrimSuffix(file, ".wasm") + ".json")
	if os.IsNotExist(err) {
		return p
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&p.spec); err != nil {
		t.Fatalf("%s: %v", f.Name(), err)
	}
	return p
}

// environment returns the program's, sorted.
func (p *program) environment() []string {
	var env []string
	for k, v := range p.spec.Env {
		env = append(env, k+"="+v)
	}
	slices.Sort(env)
	return env
}

// root makes a fresh copy of the program's directory, and returns "" if it has none.
func (p *program) root(t *testing.T) string {
	t.Helper()
	if p.spec.Root == "" {
		return ""
	}
	dir := filepath.Join(t.TempDir(), "root")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(filepath.Dir(p.file), p.spec.Root))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// failures reads known.txt: lines of a kind of host, a program and a reason, "#" begins a comment.
func failures(t *testing.T, kind string) map[string]string {
	t.Helper()
	text, err := fs.ReadFile(os.DirFS("."), "known.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 3 {
			t.Fatalf("known.txt: %q: write host, program and reason", line)
		}
		if fields[0] == kind {
			known[fields[1]] = strings.Join(fields[2:], " ")
		}
	}
	return known
}

// run runs all programs and prints the table.
func run(t *testing.T, kind string, all []*program, do func(t *testing.T, p *program) error) {
	known := failures(t, kind)
	var table strings.Builder
	passed := 0
	for _, p := range all {
		var err error
		t.Run(p.name, func(t *testing.T) {
			err = do(t, p)
			reason, expected := known[p.name]
			switch {
			case err == nil && expected:
				t.Errorf("it passes: remove it from known.txt, where it fails for %q", reason)
			case err != nil && !expected:
				t.Error(err)
			case err != nil:
				t.Logf("known to fail, %s: %v", reason, err)
			}
		})
		delete(known, p.name)
		if err == nil {
			passed++
			fmt.Fprintf(&table, "%-50s passed\n", p.name)
		} else {
			fmt.Fprintf(&table, "%-50s FAILED %.200s\n", p.name, strings.ReplaceAll(err.Error(), "\n", " | "))
		}
	}
	for name := range known {
		t.Errorf("known.txt has %s %s, and there is no such program", kind, name)
	}
	t.Logf("%s\n%s%d of %d passed", kind, table.String(), passed, len(all))
}

func TestPreview1(t *testing.T) {
	h := newHost(t)
	run(t, "module", programs(t), func(t *testing.T, p *program) error { return h.check(t, p, p.file) })
}

// TestPreview2 runs the programs as components, behind the adapter.
func TestPreview2(t *testing.T) {
	adapter := os.Getenv("MAYFLY_WASI_ADAPTER")
	if adapter == "" {
		t.Skip("set MAYFLY_WASI_ADAPTER to wasi_snapshot_preview1.command.wasm, and have wasm-tools in the path")
	}
	h := newHost(t)
	run(t, "component", programs(t), func(t *testing.T, p *program) error {
		file := filepath.Join(t.TempDir(), filepath.Base(p.file))
		build := exec.Command("wasm-tools", "component", "new", p.file, "--adapt", "wasi_snapshot_preview1="+adapter, "-o", file)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("wasm-tools: %v: %s", err, out)
		}
		return h.check(t, p, file)
	})
}
