//go:build linux

package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/console"

	"github.com/mayfly-run/mayfly/integration/lab"
)

var names atomic.Int32

// ctrStart starts a container of ctr's that ends with the scenario.
func (e *env) ctrStart(image string, args ...string) (id string) {
	e.Helper()
	id = fmt.Sprintf("ctr-%d", names.Add(1))
	flags := []string{"-n", "k8s.io", "run", "-d", "--runtime", e.runtimeType()}
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		flags, args = append(flags, args[0]), args[1:]
	}
	e.ctr(append(append(flags, image, id), args...)...)
	e.Cleanup(func() { e.ctrRemove(id) })
	return id
}

func (e *env) ctrRemove(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), lab.Patience(20*time.Second))
	defer cancel()
	for _, args := range [][]string{{"task", "kill", "-s", "SIGKILL", id}, {"task", "rm", "-f", id}} {
		_, _ = e.containerd.Ctr(ctx, append([]string{"-n", "k8s.io"}, args...)...) // it may have ended
	}
	if _, err := e.containerd.Ctr(ctx, "-n", "k8s.io", "container", "rm", id); err != nil {
		e.Error(err)
	}
}

func ctrRun(e *env) {
	out := e.ctr("-n", "k8s.io", "run", "--rm", "--runtime", e.runtimeType(), lab.BusyboxImage, "short", "sh", "-c", "echo hello from ctr")
	e.equal("output", out, "hello from ctr\n")

	_, err := e.containerd.Ctr(e.ctx, "-n", "k8s.io", "run", "--rm", "--runtime", e.runtimeType(), lab.BusyboxImage, "failing", "sh", "-c", "exit 9")
	if err == nil || !strings.Contains(err.Error(), "exit status 9") {
		e.Fatalf("exit code 9 of the container: ctr says %v", err)
	}

	id := e.ctrStart(lab.BusyboxImage, "sleep", "1000")
	e.equal("exec", e.ctr("-n", "k8s.io", "task", "exec", "--exec-id", "x", id, "echo", "in exec"), "in exec\n")
	e.contains("processes", e.ctr("-n", "k8s.io", "task", "ps", id), "PID")
	e.contains("metrics", e.ctr("-n", "k8s.io", "task", "metrics", id), "memory")
	e.contains("tasks", e.ctr("-n", "k8s.io", "task", "ls"), id, "RUNNING")
}

func ctrTerminal(e *env) {
	id := e.ctrStart(lab.BusyboxImage, "sleep", "1000")
	master, path, err := console.NewPty()
	e.check(err)
	defer master.Close()
	slave, err := os.OpenFile(path, os.O_RDWR, 0)
	e.check(err)
	e.check(master.Resize(console.WinSize{Height: 33, Width: 77}))
	cmd := e.containerd.Command(e.ctx, "ctr", "-n", "k8s.io", "task", "exec", "-t", "--exec-id", "tty", id, "sh", "-c", "tty; sleep 0.3; stty size; exit 4")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	e.check(e.node.Start(cmd))
	slave.Close()
	var out bytes.Buffer
	_, _ = io.Copy(&out, master) // a terminal whose other end is closed is an error to read
	if err := cmd.Wait(); err == nil || err.Error() != "exit status 4" {
		e.Errorf("ctr: %v, want exit status 4", err)
	}
	e.contains("the terminal", out.String(), "/dev/pts/", "33 77")
}

func ctrPause(e *env) {
	id := e.ctrStart(lab.BusyboxImage, "sleep", "1000")
	e.ctrPauseResume(id)
}

func (e *env) ctrPauseResume(id string) {
	state := func(want string) {
		e.Helper()
		for line := range strings.Lines(e.ctr("-n", "k8s.io", "task", "ls")) {
			if strings.Contains(line, id) {
				e.contains("state", line, want)
				return
			}
		}
		e.Fatalf("there is no task %s", id)
	}
	state("RUNNING")
	e.ctr("-n", "k8s.io", "task", "pause", id)
	state("PAUSED")
	e.ctr("-n", "k8s.io", "task", "resume", id)
	state("RUNNING")
}

// runtimeOptions: an operator's options for runc reach it for Linux containers and sidecars alike, also as the file that CRI and
// ctr name to runtimes they do not know.
func runtimeOptions(e *env) {
	calls := filepath.Join(e.TempDir(), "calls")
	root := filepath.Join(e.TempDir(), "other-root")
	runc := filepath.Join(e.TempDir(), "other-runc")
	e.check(os.WriteFile(runc, []byte("#!/bin/sh\necho \"$@\" >>"+calls+"\nexec runc \"$@\"\n"), 0o755))
	options := filepath.Join(e.TempDir(), "options.toml")
	e.check(os.WriteFile(options, []byte("BinaryName = \""+runc+"\"\nRoot = \""+root+"\"\n"), 0o644))
	linux := e.ctrStart(lab.BusyboxImage, "--runtime-config-path="+options, "sleep", "1000")
	side := e.ctrStart(lab.GuestsImage, "--runtime-config-path="+options, "--env=MAYFLY_TRIGGER=command", "/sleep-cmd.wasm", "100000")
	log, err := os.ReadFile(calls)
	e.check(err)
	for _, id := range []string{linux, side} {
		e.contains("the tasks", e.ctr("-n", "k8s.io", "task", "ls"), id)
		created := false
		for line := range strings.Lines(string(log)) {
			created = created || strings.Contains(line, "create") && strings.Contains(line, root) && strings.Contains(line, id)
		}
		if !created {
			e.Errorf("the other runc, with the other root, did not create %s:\n%s", id, log)
		}
	}
}
