package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) {
	os.Setenv("XDG_CACHE_HOME", "none") // the user's is not ours to fill; tests of the cache have their own
	leak.Main(m)
}

var update = flag.Bool("update", false, "write what the command lines of testdata print into testdata")

// Each file of testdata is a terminal session: lines "$ mayfly …" are command
// lines, and below stands what they print: standard output as it is, standard
// error behind "2> ", the exit code, where it is not 0, as "exit N". A session runs
// in a directory with all test guests. Adding a case needs no Go.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.session")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sessions: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".session"), func(t *testing.T) {
			file, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			inGuestsDirectory(t)
			got := replay(string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("the session went otherwise:\n%s", difference(string(want), got))
			}
		})
	}
}

// inGuestsDirectory makes the test run in a directory that has the guests.
func inGuestsDirectory(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { // closes guests' directories, which are open as long as a guest may come
		runtime.GC()
		runtime.GC() // what is in a sync.Pool outlives the first
	})
	t.Chdir(t.TempDir())
	for _, kv := range os.Environ() { // of the shell that runs the tests
		if key, _, _ := strings.Cut(kv, "="); strings.HasPrefix(key, "MAYFLY_") {
			t.Setenv(key, "") // puts it back in the end
			if err := os.Unsetenv(key); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range guests.Names() {
		if err := os.WriteFile(name+".wasm", guests.Wasm(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(".", components(t)); err != nil {
		t.Fatal(err)
	}
	for name, wasm := range broken(t) {
		if err := os.WriteFile(name+".wasm", wasm, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("site", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("site/index.html", []byte("<p>hi\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("kubeconfig", []byte(nobodysCluster), 0o644); err != nil {
		t.Fatal(err)
	}
}

// nobodysCluster names a cluster that is not there.
const nobodysCluster = `{apiVersion: v1, kind: Config, current-context: here,
  clusters: [{name: here, cluster: {server: "https://127.0.0.1:1"}}], contexts: [{name: here, context: {cluster: here}}]}
`

// replay runs the session's command lines and returns the session as it goes now.
func replay(session string) string {
	var b strings.Builder
	inOutput := false
	for line := range strings.Lines(session) {
		args, isCommand := strings.CutPrefix(line, "$ mayfly")
		switch {
		case isCommand:
			b.WriteString(line)
			var stdout, stderr bytes.Buffer
			code := doMain(words(args), strings.NewReader(""), &stdout, &stderr)
			b.WriteString(normal(stdout.String()))
			for line := range strings.Lines(normal(stderr.String())) {
				b.WriteString("2> " + line)
			}
			if code != 0 {
				fmt.Fprintf(&b, "exit %d\n", code)
			}
			inOutput = true
		case strings.HasPrefix(line, "#"), line == "\n":
			b.WriteString(line)
			inOutput = false
		case !inOutput:
			b.WriteString(line)
		}
	}
	return b.String()
}

// words parts a command line as a shell does; quotes are single ones.
func words(line string) []string {
	var all []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

var (
	digest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	left   = regexp.MustCompile(`(?m)^(mayfly: (compiling|unpacking) .*)?\n`) // the first where the machine is slow
)

// normal takes out what differs from one machine to the next, and empty lines,
// which part the steps of a session.
func normal(s string) string {
	s = digest.ReplaceAllString(strings.ReplaceAll(s, "\r\n", "\n"), "sha256:…")
	s = strings.NewReplacer("linux/amd64", "linux/ARCH", "linux/arm64", "linux/ARCH").Replace(s)
	return left.ReplaceAllString(s, "")
}

func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			end := min(i+6, len(g))
			return fmt.Sprintf("line %d: want %q\nit is now:\n%s", i+1, w[i], strings.Join(g[min(i, end):end], "\n"))
		}
	}
	return "there is more: " + strings.Join(g[len(w):], "\n")
}

func TestAReaderThatLeavesEndsTheCommandWithoutAWord(t *testing.T) {
	inGuestsDirectory(t)
	t.Setenv("TMPDIR", t.TempDir())
	port := fmt.Sprintf("localhost:%d", freePort(t))
	for _, args := range [][]string{{"build", "hello.wasm", "-t", "hello:v1"}, {"inspect", "hello.tar"}, {"serve", "hello.tar", "--listen", port}} {
		reader, stdout, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		reader.Close()
		var stderr bytes.Buffer
		if code := doMain(args, strings.NewReader(""), stdout, &stderr); code != exitFailure || stderr.Len() > 0 {
			t.Errorf("%v: exit %d: %s", args, code, stderr.String())
		}
		stdout.Close()
		if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
			t.Errorf("%v left %v (%v)", args, left, err)
		}
	}
}
