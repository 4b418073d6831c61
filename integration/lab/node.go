//go:build linux

package lab

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Node is a sandbox with room for one containerd.
type Node struct {
	Dir string // on the machine and in the node: logs, configuration, images

	cgroup string
	init   *exec.Cmd
	life   *os.File // held open for as long as the node shall live

	mu      sync.Mutex // guards daemons
	daemons []*Daemon
}

// Daemon is a process of the node's that stays.
type Daemon struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and is waited for
}

// Pid is the daemon's, as the machine counts.
func (d *Daemon) Pid() int { return d.cmd.Process.Pid }

// Ended tells whether it has.
func (d *Daemon) Ended() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// Kill ends it as a crash would.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill() // an error means it is gone already
	<-d.done
}

// Up makes a node. The caller ends it with Down; if the caller dies, so does
// the node.
func Up(c *Cache) (*Node, error) {
	if err := Check(); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	if err := c.install(needIP); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	sweep()
	// The name tells whose it is, and so whether it is anybody's still.
	name := fmt.Sprintf("%s%d-%s", prefix, os.Getpid(), strings.ToLower(rand.Text()[:6]))
	dir, err := os.MkdirTemp("", name+"-")
	if err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	n := &Node{Dir: dir, cgroup: name}
	if err := n.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start a node: %w", err), n.Down())
	}
	return n, nil
}

func (n *Node) start() error {
	if err := os.Chmod(n.Dir, 0o755); err != nil {
		return err
	}
	for _, d := range []string{n.data(), n.Path("log")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := makeCgroup(n.cgroup); err != nil {
		return err
	}
	s := setup{Name: n.cgroup, Cgroup: n.cgroup}
	if on, err := overlaid(n.Dir); err != nil {
		return err
	} else if on {
		s.Data = n.data()
	}
	config, err := json.Marshal(s)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(n.Path("log/node.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	ready, readyW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	defer readyW.Close()
	lifeR, life, err := os.Pipe()
	if err != nil {
		return err
	}
	defer lifeR.Close()
	n.life = life

	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"mayfly-node"}
	cmd.Env = append(os.Environ(), modeVar+"="+modeInit, nodeVar+"="+string(config))
	cmd.Dir = "/"
	cmd.Stderr = log
	cmd.ExtraFiles = []*os.File{readyW, lifeR}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	n.init = cmd
	readyW.Close()
	line, err := bufio.NewReader(ready).ReadString('\n')
	if line = strings.TrimSpace(line); line != "" {
		return errors.New(line)
	}
	return err
}

// overlaid tells whether dir is itself on an overlay, on which another cannot
// keep its upper layer.
func overlaid(dir string) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false, err
	}
	return st.Type == unix.OVERLAYFS_SUPER_MAGIC, nil
}

// Path is a file in the node's directory.
func (n *Node) Path(name string) string { return filepath.Join(n.Dir, name) }

func (n *Node) data() string { return n.Path("data") }

// Pid is the node's first process, as the machine counts.
func (n *Node) Pid() int { return n.init.Process.Pid }

// Root is where the node's files are seen from outside it.
func (n *Node) Root() string { return fmt.Sprintf("/proc/%d/root", n.Pid()) }

// Start starts cmd in the node, in which its pid is another one than cmd has.
// Descriptors, directory and environment are as cmd says.
func (n *Node) Start(cmd *exec.Cmd) error {
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	return inside(fmt.Sprintf("/proc/%d", n.Pid()), everything, cmd.Start)
}

// StartDaemon is Start for what stays: it is also in the node's cgroup, as a
// service would be, and waited for by the node.
func (n *Node) StartDaemon(cmd *exec.Cmd) (*Daemon, error) {
	hold, release, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer release.Close()
	defer hold.Close()
	cmd.Args = append([]string{"mayfly-enter", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/proc/self/exe"
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, modeVar+"="+modeEnter)
	cmd.ExtraFiles = append([]*os.File{hold}, cmd.ExtraFiles...)
	if err := n.Start(cmd); err != nil {
		return nil, err
	}
	d := &Daemon{cmd: cmd, done: make(chan struct{})}
	go func() { // ends with the process; Down waits for it
		_ = cmd.Wait() // how it ended is in its log
		close(d.done)
	}()
	n.mu.Lock()
	n.daemons = append(n.daemons, d)
	n.mu.Unlock()
	if err := joinCgroup(n.cgroup, cmd.Process.Pid); err != nil {
		return nil, err
	}
	return d, nil
}

// Run starts cmd in the node and waits for it.
func (n *Node) Run(cmd *exec.Cmd) error {
	if err := n.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// everything is the namespaces of a node. The mounts come last: with them
// /proc is another one.
var everything = []string{"cgroup", "ipc", "uts", "net", "pid", "mnt"}

// inside runs f on a thread that has namespaces of a process, whose directory
// in some /proc is given. The thread ends with f: nothing else may run on it.
func inside(process string, namespaces []string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked, so the thread is not used again
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return fmt.Errorf("enter the node: %w", err)
			}
			for _, ns := range namespaces {
				f, err := os.Open(filepath.Join(process, "ns", ns))
				if err != nil {
					return fmt.Errorf("enter the node: %w", err)
				}
				err = unix.Setns(int(f.Fd()), 0)
				f.Close()
				if err != nil {
					return fmt.Errorf("enter the node's %s namespace: %w", ns, err)
				}
			}
			return f()
		}()
	}()
	return <-done
}

// DialFrom connects to a TCP address, which must be a number, from the network
// of a process of the node's: to a pod's loopback, say.
func (n *Node) DialFrom(pid int, address string) (conn net.Conn, err error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	err = inside(n.Proc(pid, ""), []string{"net"}, func() (err error) {
		conn, err = net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
		return err
	})
	return conn, err
}

// prefix begins the names of what a node has on the machine, its cgroups and
// its directory, and the pid of its owner follows.
const prefix = "mayfly-node-"

// sweep removes what nodes left whose owners were killed and could not. What
// it cannot remove it leaves: it is somebody's after all, or harms nobody.
func sweep() {
	stale := func(name string) bool {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(name), prefix+"%d-", &pid); err != nil {
			return false
		}
		return !exists(fmt.Sprintf("/proc/%d", pid))
	}
	hs, err := hierarchies()
	if err != nil {
		return
	}
	for _, h := range hs {
		found, _ := filepath.Glob(filepath.Join(h.mount, prefix+"*")) // the pattern is a good one
		for _, root := range slices.DeleteFunc(found, func(d string) bool { return !stale(d) }) {
			for _, d := range slices.Backward(dirs(root)) {
				_ = os.Remove(d)
			}
		}
	}
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, d := range slices.DeleteFunc(found, func(d string) bool { return !stale(d) }) {
		_ = os.RemoveAll(d)
	}
}

// Down ends everything in the node at once and removes what it left on the
// machine: its cgroups and its directory.
func (n *Node) Down() error {
	n.halt()
	return errors.Join(removeCgroup(n.cgroup), os.RemoveAll(n.Dir))
}

// Reboot ends everything in the node at once, as a loss of power would, and
// makes the node again. What is on its disk stays, which is its directory;
// /run and /var/lib are empty, and nothing runs.
func (n *Node) Reboot() error {
	n.halt()
	if err := removeCgroup(n.cgroup); err != nil {
		return fmt.Errorf("reboot the node: %w", err)
	}
	if err := n.start(); err != nil {
		return fmt.Errorf("reboot the node: %w", err)
	}
	return nil
}

// halt ends the node's first process, and with it all others.
func (n *Node) halt() {
	if n.init != nil {
		_ = n.init.Process.Kill() // an error means it is gone already
		// The first process of a pid namespace does not end before all
		// others are waited for, and those started here are ours.
		n.mu.Lock()
		for _, d := range n.daemons {
			<-d.done
		}
		n.daemons = nil
		n.mu.Unlock()
		_ = n.init.Wait() // "signal: killed" is what was asked for
		n.init = nil
	}
	if n.life != nil {
		n.life.Close()
		n.life = nil
	}
}

// Signal sends a signal to a process of the node's, whose pid is as the node
// counts.
func (n *Node) Signal(ctx context.Context, pid int, sig syscall.Signal) error {
	return n.Run(exec.CommandContext(ctx, "/bin/sh", "-c", fmt.Sprintf("kill -%d %d", sig, pid)))
}
