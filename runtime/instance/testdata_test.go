package instance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheModulesAreWhatTheirSourcesSay builds them anew where the tools are that internal/guests pins.
func TestTheModulesAreWhatTheirSourcesSay(t *testing.T) {
	for dir, tool := range map[string]struct{ name, argument, version string }{
		"testdata":          {"wat2wasm", "--version", "1.0.32"},
		"testdata/compute":  {"clang", "-dumpversion", "14.0.6"},
		"../weave/testdata": {"wat2wasm", "--version", "1.0.32"},
	} {
		t.Run(dir, func(t *testing.T) {
			if version, err := exec.Command(tool.name, tool.argument).Output(); err != nil || strings.TrimSpace(string(version)) != tool.version {
				t.Skipf("%s is not %s: %q, %v", tool.name, tool.version, version, err)
			}
			builtAsCommitted(t, dir)
		})
	}
}

func builtAsCommitted(t *testing.T, dir string) {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("make", "-B", "-C", copied).CombinedOutput(); err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	err := filepath.WalkDir(copied, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".wasm" {
			return err
		}
		name, err := filepath.Rel(copied, path)
		if err != nil {
			return err
		}
		built, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		committed, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if !bytes.Equal(built, committed) {
			t.Errorf("%s in %s is not what its source makes", name, dir)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
