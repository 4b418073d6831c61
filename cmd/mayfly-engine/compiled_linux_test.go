package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/guests"
)

// compileWith runs mayfly-engine compile.
func compileWith(t testing.TB, module string, args ...string) (exit int, said string) {
	t.Helper()
	f, err := os.Open(module)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(os.Args[0], append([]string{"compile"}, args...)...)
	cmd.Env = []string{runAsEngine + "=1"}
	cmd.ExtraFiles = []*os.File{f}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// compiledCode is a directory with the code of a module.
func compiledCode(t testing.TB, module string) *os.File {
	t.Helper()
	dir := t.TempDir()
	if exit, said := compileWith(t, module, "-module", "3", "-out", dir); exit != 0 || said != "" {
		t.Fatalf("exit code %d, %q", exit, said)
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestWithCompiledCodeTheModuleIsNotRead(t *testing.T) {
	module := component(t, "http")
	dir := compiledCode(t, module)
	if err := os.Remove(module); err != nil {
		t.Fatal(err)
	}
	at := listen(t)
	p := start{module: module, env: []string{"MAYFLY_IDLE_TIMEOUT=never"}, listen: []*os.File{at.file}, compiled: dir}.run(t)
	p.expect(control.Ready)
	if code, body, err := at.get("/hello"); code != 200 || body != "hello\n" || err != nil {
		t.Errorf("got %d %q, %v", code, body, err)
	}
	if strings.Contains(p.stderr.String(), "compiled") {
		t.Errorf("log: %s", p.stderr.String())
	}
	files, err := os.ReadDir("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if to, _ := os.Readlink("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd/" + f.Name()); to == dir.Name() {
			t.Errorf("descriptor %s is of the directory still", f.Name())
		}
	}
}

func TestAModuleThatSpeaksCGIIsCompiledToo(t *testing.T) {
	module := filepath.Join(t.TempDir(), "app.wasm")
	if err := os.WriteFile(module, guests.Wasm("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := compiledCode(t, module)
	if err := os.Remove(module); err != nil {
		t.Fatal(err)
	}
	at := listen(t)
	p := start{module: module, env: []string{"MAYFLY_IDLE_TIMEOUT=never", "MAYFLY_TRIGGER=http"}, listen: []*os.File{at.file}, compiled: dir}.run(t)
	p.expect(control.Ready)
	if code, _, err := at.get("/"); code != 200 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestWithoutGoodCodeTheModuleIsCompiled(t *testing.T) {
	for name, breakIt := range map[string]func(dir string) error{
		"it is empty":       func(dir string) error { return os.RemoveAll(filepath.Join(dir, "manifest.json")) },
		"a file is missing": func(dir string) error { return os.Remove(filepath.Join(dir, "code-0")) },
		"a file is cut":     func(dir string) error { return os.Truncate(filepath.Join(dir, "module-0"), 10) },
	} {
		t.Run(name, func(t *testing.T) {
			module := component(t, "http")
			dir := compiledCode(t, module)
			if err := breakIt(dir.Name()); err != nil {
				t.Fatal(err)
			}
			at := listen(t)
			p := start{module: module, env: []string{"MAYFLY_IDLE_TIMEOUT=never"}, listen: []*os.File{at.file}, compiled: dir}.run(t)
			p.expect(control.Ready)
			if code, body, err := at.get("/hello"); code != 200 || body != "hello\n" || err != nil {
				t.Errorf("got %d %q, %v", code, body, err)
			}
			p.signal(syscall.SIGTERM)
			p.exit()
			if !strings.Contains(p.stderr.String(), "it is compiled again") {
				t.Errorf("log: %s", p.stderr.String())
			}
		})
	}
}

func TestWhatCannotBeCompiledIsALine(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "app.wasm")
	if err := os.WriteFile(broken, []byte("\x00asm\x01\x00\x00\x00\x0a\x01"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "code-0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := component(t, "http")
	for _, test := range []struct {
		name, module string
		args         []string
		exit         int
		says         string
	}{
		{"a broken module", broken, []string{"-module", "3", "-out", t.TempDir()}, 1, "malformed module"},
		{"a directory that is not empty", good, []string{"-module", "3", "-out", full}, 1, "code-0: file exists"},
		{"a directory that is not there", good, []string{"-module", "3", "-out", filepath.Join(full, "x")}, 1, "no such file"},
		{"no descriptor", good, []string{"-module", "77", "-out", t.TempDir()}, 1, "read the module"},
		{"no time", good, []string{"-module", "3", "-out", t.TempDir(), "-timeout", "1ns"}, 1, "not done after 1ns"},
		{"no module", good, []string{"-out", t.TempDir()}, 2, "-module must be"},
		{"no output", good, []string{"-module", "3"}, 2, "-out must be"},
		{"an argument", good, []string{"-module", "3", "-out", t.TempDir(), "x"}, 2, "too many"},
	} {
		t.Run(test.name, func(t *testing.T) {
			exit, said := compileWith(t, test.module, test.args...)
			if exit != test.exit || !strings.Contains(said, test.says) || strings.Count(said, "\n") != 1 {
				t.Errorf("exit code %d, %q", exit, said)
			}
		})
	}
}

func TestWhatCannotHaveASnapshotIsNotCompiledAgain(t *testing.T) {
	module := filepath.Join(t.TempDir(), "app.wasm")
	if err := os.WriteFile(module, guests.Wasm("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := compiledCode(t, module)
	if err := os.Remove(module); err != nil {
		t.Fatal(err)
	}
	p := start{module: module, env: []string{"MAYFLY_TRIGGER=http", "MAYFLY_SNAPSHOT=init"}, listen: []*os.File{listen(t).file}, compiled: dir}.run(t)
	if m := p.next(); m.Kind != control.Error || !strings.Contains(m.Text, "leave MAYFLY_SNAPSHOT or --snapshot out") {
		t.Errorf("the engine said %d %q", m.Kind, m.Text)
	}
	if code := p.exit(); code != 1 || strings.Contains(p.stderr.String(), "it is compiled again") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
}

func TestASnapshotIsTakenWithTheDirectoriesOfAContainer(t *testing.T) {
	for _, name := range []string{"http", "time-go"} {
		t.Run(name, func(t *testing.T) {
			wasm, ok := guests.Built(name)
			if !ok {
				t.Skip("not built: make guests")
			}
			module := filepath.Join(t.TempDir(), "app.wasm")
			if err := os.WriteFile(module, wasm, 0o600); err != nil {
				t.Fatal(err)
			}
			at := listen(t)
			env := []string{"MAYFLY_IDLE_TIMEOUT=never", "MAYFLY_SNAPSHOT=init"}
			p := start{module: module, env: env, listen: []*os.File{at.file}, compiled: compiledCode(t, module)}.run(t)
			p.expect(control.Ready)
			for range 3 {
				if code, body, err := at.get("/hello"); code != 200 || body == "" || err != nil {
					t.Errorf("got %d %q, %v", code, body, err)
				}
			}
			if name != "http" {
				return
			}
			if _, body, _ := at.get("/list?path=/"); strings.Contains(body, "os error") {
				t.Errorf("its root is not there: %q", body)
			}
			if _, body, _ := at.get("/list?path=/proc"); !strings.Contains(body, "os error") {
				t.Errorf("/proc is there: %q", body)
			}
		})
	}
}
