//go:build linux

package kind

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Docker is a daemon, and the client to reach it with.
type Docker struct {
	Program string // the client
	Host    string // as in DOCKER_HOST; empty where the client knows it
}

// env is the environment of the client, and of what calls it, as kind does.
func (d Docker) env() []string {
	env := append(os.Environ(), "PATH="+filepath.Dir(d.Program)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if d.Host != "" {
		env = append(env, "DOCKER_HOST="+d.Host)
	}
	return env
}

// run runs the client and returns what it prints.
func (d Docker) run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.Program, args...)
	cmd.Env = d.env()
	cmd.Stdin = stdin
	return output(cmd, (*exec.Cmd).Run)
}

// in runs a command in a node.
func (d Docker) in(ctx context.Context, node string, args ...string) (string, error) {
	return d.run(ctx, nil, append([]string{"exec", node}, args...)...)
}

// read reads a file of a node.
func (d Docker) read(ctx context.Context, node, file string) (string, error) {
	return d.in(ctx, node, "cat", file)
}

// write writes a file of a node.
func (d Docker) write(ctx context.Context, node, file, text string) error {
	_, err := d.run(ctx, strings.NewReader(text), "exec", "-i", node, "sh", "-c", `cat >"$0"`, file)
	return err
}

// output runs cmd and returns what it prints; an error has what it complained
// about.
func output(cmd *exec.Cmd, run func(*exec.Cmd) error) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := run(cmd); err != nil {
		const enough = 3000
		text := strings.TrimSpace(errs.String())
		return out.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(cmd.Args[0]), strings.Join(cmd.Args[1:], " "), err, text[max(0, len(text)-enough):])
	}
	return out.String(), nil
}
