// Package testprogram builds programs that tests run as processes.
//
// It is for tests only, which are where the go command is.
package testprogram

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Once returns what writes a program to a file. The program is built with these arguments of go build, once, when the first test
// wants it, and nothing of it stays behind but what tests were given.
func Once(args ...string) func(t testing.TB, file string) {
	build := sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "testprogram")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		file := filepath.Join(dir, "program")
		cmd := exec.Command("go", append([]string{"build", "-o", file}, args...)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go build %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return os.ReadFile(file)
	})
	return func(t testing.TB, file string) {
		t.Helper()
		program, err := build()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, program, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
