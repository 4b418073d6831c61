// Package time_test proves the time sidecars right: the CGI programs under stock
// wazero, so that what fails under mayfly is not the example; the components,
// for which there is no other host here, under mayfly's.
package time_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// answer is the body all of them give.
type answer struct {
	Time     time.Time `json:"time"`
	Unix     int64     `json:"unix"`
	Instance string    `json:"instance"`
	Language string    `json:"language"`
}

func TestEachLanguageTellsTheTimeFromAFreshInstance(t *testing.T) {
	for _, language := range []string{"c", "go", "rust"} {
		t.Run(language, func(t *testing.T) {
			ask := load(t, module(t, language))
			seen := map[string]bool{}
			for range 3 {
				body, ok := strings.CutPrefix(ask(""), "Content-Type: application/json\r\n\r\n")
				if !ok {
					t.Fatalf("no JSON head before %q", body)
				}
				decode(t, body).check(t, language, seen)
			}

			text, ok := strings.CutPrefix(ask("format=text"), "Content-Type: text/plain\r\n\r\n")
			if _, err := time.Parse(time.RFC3339+"\n", text); !ok || err != nil {
				t.Errorf("as text: %q: %v", text, err)
			}
		})
	}
}

func TestTheCommittedModulesAreBuiltFromTheirSource(t *testing.T) {
	for language, build := range map[string]struct{ target, tool, version string }{
		"c":    {"module", "/usr/bin/clang", "Debian clang version 14.0.6"},
		"rust": {"debian", "/usr/bin/rustc", "rustc 1.63.0"},
	} {
		t.Run(language, func(t *testing.T) {
			version, err := exec.Command(build.tool, "--version").Output()
			if got, _, _ := strings.Cut(string(version), "\n"); err != nil || strings.TrimSpace(got) != build.version {
				t.Skipf("%s is not %s but %q", build.tool, build.version, got)
			}
			needMake(t)
			out := t.TempDir()
			if log, err := exec.Command("make", "-s", "-C", language, build.target, "OUT="+out).CombinedOutput(); err != nil {
				t.Fatalf("make: %v\n%s", err, log)
			}
			rebuilt, err := os.ReadFile(filepath.Join(out, "time.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(rebuilt, module(t, language)) {
				t.Errorf("committed and rebuilt module differ: run make -C examples/time/%s %s and commit", language, build.target)
			}
		})
	}
}

func needMake(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make")
	}
}

// module returns the committed module, or in Go a newly built one.
func module(t *testing.T, language string) []byte {
	t.Helper()
	file := filepath.Join(language, "time.wasm")
	if language == "go" {
		needMake(t)
		out := t.TempDir()
		if log, err := exec.Command("make", "-s", "-C", language, "module", "OUT="+out).CombinedOutput(); err != nil {
			t.Fatalf("make: %v\n%s", err, log)
		}
		file = filepath.Join(out, "time.wasm")
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// load compiles a module and returns a function that runs it for one request.
func load(t *testing.T, wasm []byte) func(query string) string {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() {
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	compiled, err := r.CompileModule(ctx, wasm)
	if err != nil {
		t.Fatal(err)
	}
	return func(query string) string {
		t.Helper()
		var stdout bytes.Buffer
		m, err := r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").
			WithArgs("time").WithEnv("QUERY_STRING", query).WithStdout(&stdout).WithStderr(t.Output()).
			WithRandSource(rand.Reader).WithSysWalltime().WithSysNanotime())
		if exit, ok := err.(*sys.ExitError); err != nil && (!ok || exit.ExitCode() != 0) {
			t.Fatal(err)
		}
		if m != nil {
			if err := m.Close(ctx); err != nil {
				t.Error(err)
			}
		}
		return stdout.String()
	}
}

// check looks at an answer in a language; seen are the instances that gave those before.
func (a answer) check(t *testing.T, language string, seen map[string]bool) {
	t.Helper()
	if now := time.Now(); a.Time.After(now) || now.Sub(a.Time) > time.Minute {
		t.Errorf("time %v, it is %v", a.Time, now)
	}
	if a.Unix != a.Time.Unix() {
		t.Errorf("unix %d, the time says %d", a.Unix, a.Time.Unix())
	}
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(a.Instance) || seen[a.Instance] {
		t.Errorf("instance %q after %v: want 16 new hex digits", a.Instance, seen)
	}
	seen[a.Instance] = true
	if a.Language != language {
		t.Errorf("language %q", a.Language)
	}
}

// decode takes a line of JSON with all the fields of an answer and no other.
func decode(t *testing.T, body string) answer {
	t.Helper()
	var a answer
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return a
}
