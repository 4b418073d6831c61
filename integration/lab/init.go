//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// A program that makes nodes is started again for three jobs, told apart by
// what it finds in this variable.
const (
	modeVar   = "MAYFLY_LAB_MODE"
	modeInit  = "init"  // first process of a node, before its cgroup namespace
	modeNode  = "node"  // the same, after it
	modeEnter = "enter" // waits to be put into the node's cgroup, then runs a command
	nodeVar   = "MAYFLY_LAB_NODE"
)

// Descriptors a node's first process is given.
const (
	fdReady = 3 // it writes one line: empty, or why the node is not up
	fdLife  = 4 // ends when the node's owner does, and the node with it
)

// setup is what the first process of a node must know.
type setup struct {
	Name   string
	Cgroup string
	Data   string // where a tmpfs is needed for overlays to stand on; empty for nowhere
}

// Main does a node's work, and does not return, when this program was started
// for it; else it returns at once. Call it first.
func Main() {
	mode := os.Getenv(modeVar)
	if mode == "" {
		return
	}
	os.Unsetenv(modeVar)
	var err error
	switch mode {
	case modeInit:
		err = initCgroup()
	case modeNode:
		err = initNode()
	case modeEnter:
		err = enterCgroup()
	default:
		err = fmt.Errorf("%s=%s: unknown", modeVar, mode)
	}
	fmt.Fprintln(os.Stderr, "node:", err)
	os.Exit(1)
}

// initCgroup moves the node's first process to its cgroup and makes that the
// root of what the node sees. Namespaces belong to threads, so the program
// starts again from the thread that has the right one.
func initCgroup() error {
	s, err := readSetup()
	if err != nil {
		return failed(err)
	}
	if err := joinCgroup(s.Cgroup, 0); err != nil {
		return failed(err)
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return failed(fmt.Errorf("make a cgroup namespace: %w", err))
	}
	return failed(unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), modeVar+"="+modeNode)))
}

// initNode makes the node what it is, says so, and then buries its dead until
// its owner is gone.
func initNode() error {
	unix.CloseOnExec(fdReady)
	unix.CloseOnExec(fdLife)
	s, err := readSetup()
	if err != nil {
		return failed(err)
	}
	os.Unsetenv(nodeVar)
	for _, step := range []func(*setup) error{mounts, network} {
		if err := step(s); err != nil {
			return failed(err)
		}
	}
	dead := make(chan os.Signal, 1)
	signal.Notify(dead, unix.SIGCHLD)
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGPIPE)
	if _, err := os.NewFile(fdReady, "ready").WriteString("\n"); err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.NewFile(fdLife, "life"))
		close(gone)
	}()
	for {
		select {
		case <-gone:
			os.Exit(0)
		case <-dead:
			for {
				if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 && !errors.Is(err, unix.EINTR) {
					break
				}
			}
		}
	}
}

// mounts gives the node its own /proc, /run and /var/lib, so that nothing it
// keeps there is the machine's, and the shared propagation containerd expects.
func mounts(s *setup) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := remountCgroups(); err != nil {
		return err
	}
	for _, m := range []struct{ kind, at string }{{"proc", "/proc"}, {"tmpfs", "/run"}, {"tmpfs", "/var/lib"}, {"tmpfs", s.Data}} {
		if m.at == "" {
			continue
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("make mounts shared: %w", err)
	}
	return os.MkdirAll("/run/lock", 0o755)
}

// network brings up the loopback and an uplink with a default route that leads
// nowhere: containerd looks for one, and nothing in a node talks to the world.
func network(s *setup) error {
	if err := unix.Sethostname([]byte(s.Name)); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		// A veth pair, because a dummy device is missing from some kernels.
		{"link", "add", "node0", "type", "veth", "peer", "name", "node0p"},
		{"link", "set", "node0p", "up"},
		{"addr", "add", "10.88.255.1/24", "dev", "node0"},
		{"link", "set", "node0", "up"},
		{"route", "add", "default", "dev", "node0"},
	} {
		if err := output(exec.Command("ip", args...)); err != nil {
			return err
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

// enterCgroup waits until the owner has moved this process to the node's
// cgroup, and becomes the command.
func enterCgroup() error {
	begin := os.NewFile(fdReady, "go")
	if _, err := io.Copy(io.Discard, begin); err != nil {
		return err
	}
	begin.Close()
	return unix.Exec(os.Args[1], os.Args[1:], os.Environ())
}

func readSetup() (*setup, error) {
	var s setup
	if err := json.Unmarshal([]byte(os.Getenv(nodeVar)), &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", nodeVar, err)
	}
	return &s, nil
}

// failed tells the owner why, and returns err for the log.
func failed(err error) error {
	if err != nil {
		fmt.Fprintln(os.NewFile(fdReady, "ready"), err)
	}
	return err
}
