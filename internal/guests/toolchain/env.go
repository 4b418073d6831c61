package toolchain

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Env is what a build sees on top of the environment of this process:
// directories to look for programs in first, and variables.
type Env struct {
	Path []string
	Vars []string
}

// Run runs a program in dir and, when it fails, puts the end of what it printed
// into the error: that is where a build says what it lacks.
func (e Env) Run(dir, name string, args ...string) error {
	cmd := e.command(dir, name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return failed(err, out, name, args)
	}
	return nil
}

// Output is Run, and what the program printed on stdout.
func (e Env) Output(dir, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := e.command(dir, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", failed(err, stderr.Bytes(), name, args)
	}
	return stdout.String(), nil
}

func (e Env) command(dir, name string, args ...string) *exec.Cmd {
	path := strings.Join(append(slices.Clone(e.Path), os.Getenv("PATH")), string(os.PathListSeparator))
	// Through env, so that the program itself is looked for in the new path.
	cmd := exec.Command("env", slices.Concat([]string{"-u", "RUSTFLAGS", "PATH=" + path}, e.Vars, []string{name}, args)...)
	cmd.Dir = dir
	// The flags of whoever runs this are for this repository's own programs.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=")
	return cmd
}

func failed(err error, out []byte, name string, args []string) error {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	last := strings.Join(lines[max(0, len(lines)-20):], "\n")
	return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, last)
}
