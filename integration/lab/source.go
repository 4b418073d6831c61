//go:build linux

package lab

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The versions the lab builds itself. Debian's containerd is the oldest that
// is supported, 1.6, and comes as its package.
const (
	runcVersion = "1.5.2"
	cniVersion  = "1.9.0"

	// Containerd24 and Containerd17 are the newest releases of the two lines
	// of containerd that are maintained.
	Containerd24 = "2.4.2"
	Containerd17 = "1.7.35"
)

//go:embed modules
var modules embed.FS

// goInstall builds main packages of one module version into dir, as
// "go install pkg@version" does for anyone.
func (c *Cache) goInstall(dir, version, ldflags string, cgo bool, tags string, pkgs ...string) error {
	for _, pkg := range pkgs {
		name := filepath.Base(pkg)
		err := c.Progress.Do("build "+name+" "+version, func() error {
			args := []string{"install", "-trimpath", "-ldflags", "-s -w " + ldflags}
			if tags != "" {
				args = append(args, "-tags", tags)
			}
			cmd := exec.Command("go", append(args, pkg+"@v"+version)...)
			cmd.Dir = dir
			cmd.Env = goEnv(cgo, "GOBIN="+dir)
			return output(cmd)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// goBuild builds main packages of a module whose go.mod and go.sum are kept
// here, under modules/name. A program that is not called as its package is
// given as PROGRAM=PACKAGE; if that ends in .test, it is the package's tests.
func (c *Cache) goBuild(dir, name, version, ldflags, tags string, pkgs ...string) error {
	src, err := os.MkdirTemp("", "mayfly-module-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	for _, f := range []string{"go.mod", "go.sum", "tools.go"} {
		text, err := fs.ReadFile(modules, "modules/"+name+"/"+f+".txt")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(src, f), text, 0o644); err != nil {
			return err
		}
	}
	for _, pkg := range pkgs {
		program, path, renamed := strings.Cut(pkg, "=")
		if !renamed {
			program, path = filepath.Base(pkg), pkg
		}
		err := c.Progress.Do("build "+program+" "+version, func() error {
			args := []string{"build"}
			if strings.HasSuffix(program, ".test") {
				args = []string{"test", "-c"}
			}
			args = append(args, "-trimpath", "-tags", tags, "-ldflags", "-s -w "+ldflags, "-o", filepath.Join(dir, program), path)
			cmd := exec.Command("go", args...)
			cmd.Dir = src
			cmd.Env = goEnv(false)
			return output(cmd)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// goEnv is the environment of a build that has nothing to do with the module
// or the flags of whoever runs the lab.
func goEnv(cgo bool, more ...string) []string {
	on := "0"
	if cgo {
		on = "1"
	}
	env := append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED="+on)
	return append(env, more...)
}

// output runs cmd and, when it fails, puts the end of what it printed into the
// error: that is where a build says what it lacks.
func output(cmd *exec.Cmd) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, tail(out.String(), 20))
	}
	return nil
}

func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
