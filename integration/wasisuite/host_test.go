package wasisuite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/wasi"
	"github.com/mayfly-run/mayfly/runtime/wasi/cli"
	"github.com/mayfly-run/mayfly/runtime/wasi/filesystem"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

const timeout = 30 * time.Second

// outcome is how a program ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// host runs programs.
type host struct {
	start func(ctx context.Context, p *program, file, root string) (outcome, error)
}

func newHost(t *testing.T) *host {
	if binary := os.Getenv("MAYFLY"); binary != "" {
		return &host{start: command(binary).start}
	}
	ctx := context.Background()
	r, err := instance.NewRuntime(ctx, instance.Limits{Memory: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(ctx) })
	return &host{start: (&library{r}).start}
}

// check runs a program and compares.
func (h *host) check(t *testing.T, p *program, file string) error {
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	out, err := h.start(ctx, p, file, p.root(t))
	if err != nil {
		return fmt.Errorf("%w: %s", err, out.stderr)
	}
	if out.code != p.spec.ExitCode {
		return fmt.Errorf("exit code %d, want %d: %s", out.code, p.spec.ExitCode, out.stderr)
	}
	if want := p.spec.Stdout; want != nil && out.stdout != *want {
		return fmt.Errorf("stdout %q, want %q", out.stdout, *want)
	}
	return nil
}

// command is the mayfly binary.
type command string

func (c command) start(ctx context.Context, p *program, file, root string) (outcome, error) {
	args := []string{"run"}
	for _, kv := range p.environment() {
		args = append(args, "--env", kv)
	}
	if root != "" {
		args = append(args, "--dir", root+":/")
	}
	args = append(append(args, file, "--"), p.spec.Args...)
	cmd := exec.CommandContext(ctx, string(c), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "MAYFLY_") }) // which are settings to it
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = context.Cause(ctx)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, err
}

// library is the packages that the binary is made of.
type library struct{ runtime *instance.Runtime }

func (l *library) start(ctx context.Context, p *program, file, root string) (outcome, error) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return outcome{}, err
	}
	var files *guestfs.Files
	if root != "" {
		files, err = guestfs.OpenDirs([]guestfs.Mount{{Host: root, Guest: "/"}})
		if err != nil {
			return outcome{}, err
		}
		defer files.Close()
	}
	args := append([]string{filepath.Base(file)}, p.spec.Args...)
	var stdout, stderr bytes.Buffer
	if component.Is(wasm) {
		err = l.component(ctx, wasm, &wasi.Guest{
			Command: cli.Guest{Args: args, Env: p.environment(), Stdout: wasiio.ToWriter(&stdout), Stderr: wasiio.ToWriter(&stderr)},
			Files:   filesystem.NewGuest(files),
		})
	} else {
		err = l.module(ctx, wasm, files, instance.Call{Args: args, Env: p.environment(), Stdout: &stdout, Stderr: &stderr})
	}
	out := outcome{stdout: stdout.String(), stderr: stderr.String()}
	var exit *instance.ExitError
	if errors.As(err, &exit) {
		out.code, err = int(exit.Code), nil
	}
	return out, err
}

func (l *library) module(ctx context.Context, wasm []byte, files *guestfs.Files, call instance.Call) error {
	if files != nil {
		call.FS = files.Config()
	}
	m, err := l.runtime.Load(ctx, wasm)
	if err != nil {
		return err
	}
	i, err := m.Instantiate(ctx, call)
	if err != nil {
		return err
	}
	defer i.Close()
	return i.Run(ctx)
}

func (l *library) component(ctx context.Context, wasm []byte, guest *wasi.Guest) error {
	defer guest.Close()
	h, err := component.NewHost(wasi.Packages()...)
	if err != nil {
		return err
	}
	d, err := component.Read(wasm)
	if err != nil {
		return err
	}
	c, err := component.Load(ctx, l.runtime, d, h)
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	if err := c.Try(ctx, guest); err != nil {
		return err
	}
	f, err := c.Function("wasi:cli/run@0.2.0", "run")
	if err != nil {
		return err
	}
	i, err := c.Instantiate(ctx, guest)
	if err != nil {
		return err
	}
	defer i.Close()
	result, err := i.Call(ctx, f)
	if _, ok := result.OK(); err == nil && !ok {
		err = &instance.ExitError{Code: 1}
	}
	return err
}
