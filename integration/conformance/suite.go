//go:build linux

package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

//go:embed module/go.mod.txt module/go.sum.txt
var module embed.FS

const (
	suitePackage = "github.com/containerd/containerd/v2/integration/client"
	// faultyRunc is a runc that fails on request, as some tests ask it to.
	faultyRunc = "github.com/containerd/containerd/v2/integration/failpoint/cmd/runc-fp"
)

// suite is the directory with the built suite, a program it runs, and the
// files it reads.
type suite string

func (s suite) program() string { return filepath.Join(string(s), "client.test") }

// buildSuite builds the suite of the containerd the lab has, or finds it in
// the cache.
func buildSuite(c *lab.Cache) (suite, error) {
	dir, err := c.Entry("client-suite-"+lab.Containerd24, func(dir string) error {
		return c.Progress.Do("build containerd's client tests "+lab.Containerd24, func() error { return fillSuite(dir) })
	})
	return suite(dir), err
}

func fillSuite(dir string) error {
	src, err := os.MkdirTemp("", "mayfly-suite-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	for _, f := range []string{"go.mod", "go.sum"} {
		text, err := module.ReadFile("module/" + f + ".txt")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(src, f), text, 0o644); err != nil {
			return err
		}
	}
	if version, err := goCommand(src, "list", "-m", "-f", "{{.Version}}", "github.com/containerd/containerd/v2"); err != nil {
		return err
	} else if version != "v"+lab.Containerd24 {
		return fmt.Errorf("module/go.mod.txt names containerd %s, the lab has v%s: see module/README.md", version, lab.Containerd24)
	}
	if _, err := goCommand(src, "test", "-c", "-trimpath", "-o", suite(dir).program(), suitePackage); err != nil {
		return err
	}
	if _, err := goCommand(src, "build", "-trimpath", "-o", filepath.Join(dir, "runc-fp"), faultyRunc); err != nil {
		return err
	}
	from, err := goCommand(src, "list", "-f", "{{.Dir}}", suitePackage)
	if err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS(filepath.Join(from, "testdata")))
}

// goCommand runs go in dir, with nothing of this module's or the caller's
// settings, and returns what it prints.
func goCommand(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// list names the tests of the suite that match only, in its order.
func (s suite) list(ctx context.Context, only *regexp.Regexp) ([]string, error) {
	// -test.short keeps the suite from starting containerd before it lists.
	out, err := exec.CommandContext(ctx, s.program(), "-test.short", "-test.list", "^Test").Output()
	if err != nil {
		return nil, fmt.Errorf("list the suite's tests: %w", err)
	}
	var tests []string
	for t := range strings.FieldsSeq(string(out)) {
		if only.MatchString(t) {
			tests = append(tests, t)
		}
	}
	if len(tests) == 0 {
		return nil, fmt.Errorf("no test matches %q: %s -test.short -test.list . lists them", only, s.program())
	}
	return tests, nil
}
