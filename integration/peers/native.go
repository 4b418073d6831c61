//go:build linux

package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/build"
	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

// Native is an ordinary program in Go that does what the components do, in containers of runc: integration/lab/native.
type Native struct {
	Version string
	runc    string
	root    string // of the containers' file system
}

// FindNative builds the program into dir, and runc where the lab has none.
func FindNative(dir string, progress *lab.Progress) (*Native, error) {
	if lacking := lab.Check(); lacking != nil {
		return nil, fmt.Errorf("run containers: this %w", lacking)
	}
	cache, err := lab.OpenCache(progress)
	if err != nil {
		return nil, err
	}
	runc, err := cache.Runc()
	if err != nil {
		return nil, err
	}
	repository, err := build.Root()
	if err != nil {
		return nil, err
	}
	n := &Native{runc: filepath.Join(runc, "runc"), root: filepath.Join(dir, "native-root")}
	if err := os.MkdirAll(filepath.Join(n.root, "etc"), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(n.root, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		return nil, err
	}
	for _, d := range []string{"proc", "dev"} {
		if err := os.MkdirAll(filepath.Join(n.root, d), 0o755); err != nil {
			return nil, err
		}
	}
	n.Version = firstLine(n.runc, "--version") + ", a program in Go"
	return n, progress.Do("build the native server", func() error {
		return (toolchain.Env{Vars: []string{"CGO_ENABLED=0"}}).Run(repository, "go", "build", "-trimpath", "-ldflags", "-s -w",
			"-o", filepath.Join(n.root, "native"), "./integration/lab/native")
	})
}

// Server is the program in a container that is kept.
func (n *Native) Server(name string) *Server {
	container := func(dir string) *Container { return &Container{native: n, dir: dir} }
	return &Server{
		Name: name, Version: n.Version, Launcher: "runc",
		Prepare: func(port int, dir string) error { return n.bundle(port, dir) },
		Command: func(_ string, _ int, dir string) []string { return container(dir).command("run") },
		Clean:   func(dir string) { _ = container(dir).Delete() }, // an error: it is gone already
	}
}

// Container is one that is started again and again.
type Container struct {
	Addr   string
	native *Native
	dir    string
}

// Container makes all of a container that can be made before it starts, in dir.
func (n *Native) Container(dir string) (*Container, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return &Container{Addr: address(port), native: n, dir: dir}, n.bundle(port, dir)
}

// Start starts it and returns when runc says that it runs.
func (c *Container) Start(ctx context.Context) error {
	args := c.command("run", "--detach")
	return said(exec.CommandContext(ctx, args[0], args[1:]...))
}

// Delete ends it.
func (c *Container) Delete() error {
	args := c.command("delete", "--force")
	return said(exec.Command(args[0], args[1:]...))
}

// command is runc's for the container. State and bundle are in the container's directory, so its name need not be another than others'
// but for the cgroup.
func (c *Container) command(verb string, flags ...string) []string {
	args := append([]string{c.native.runc, "--root", filepath.Join(c.dir, "state"), verb}, flags...)
	if verb == "run" {
		args = append(args, "--bundle", c.dir)
	}
	return append(args, filepath.Base(c.dir))
}

// said runs a command. Its output is a file, not a pipe that a container would hold open.
func said(cmd *exec.Cmd) error {
	out, err := os.CreateTemp("", "mayfly-runc-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name()) // the error is there without it
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, text)
	}
	return nil
}

// bundle writes the configuration of a container: namespaces of its own but for the network, which it has with the client as in a pod, no
// privilege, nothing to write to. It has no seccomp filter and no network to be made, so it is no more than any container costs.
func (n *Native) bundle(port int, dir string) error {
	var namespaces []specs.LinuxNamespace
	for _, kind := range []specs.LinuxNamespaceType{specs.PIDNamespace, specs.IPCNamespace, specs.UTSNamespace, specs.MountNamespace} {
		namespaces = append(namespaces, specs.LinuxNamespace{Type: kind})
	}
	text, err := json.Marshal(specs.Spec{
		Version: specs.Version,
		Root:    &specs.Root{Path: n.root, Readonly: true},
		Process: &specs.Process{
			Args: []string{"/native"}, Cwd: "/", Env: []string{fmt.Sprint("PORT=", port)},
			User: specs.User{UID: 65532, GID: 65532}, NoNewPrivileges: true,
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755", "size=64k"}},
		},
		Linux: &specs.Linux{Namespaces: namespaces, CgroupsPath: "/" + filepath.Base(dir)},
	})
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644))
}
