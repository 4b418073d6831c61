//go:build linux

// Package sidecar has the life cycle of one sidecar in the shim, from the rewritten bundle to the container's end.
//
//	created ──Begin──▶ starting ──Handshake ok──▶ running
//	   │                  │                          │
//	   └──────────────────┴──────── Exited ──────────┴──▶ exited
//
// The container itself, its process, cgroup and stdio, is the runc task service's. Here is what is mayfly's: the control socket,
// and what the holder says on it. The holder runs in the container, so what it says is bounded in size and time; it decides whether
// Start succeeds, and otherwise is shown to people only.
package sidecar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/shim/bundle"
	"github.com/mayfly-run/mayfly/shim/code"
	"github.com/mayfly-run/mayfly/shim/podnet"
)

// startPatience bounds the time from the holder's start to an engine that is ready. Compiling a large app takes seconds, and
// kubelet gives up after two minutes.
const startPatience = 90 * time.Second

// endPatience is how long after its holder hung up a container may take to be reported as ended.
const endPatience = time.Second

// socketFile is the control socket in the bundle.
const socketFile = "mayfly.sock"

var (
	// ErrState is returned for a call that does not fit the sidecar's state.
	ErrState = errors.New("wrong state")
	// ErrRefused is returned when the engine says that it cannot run the app.
	ErrRefused = errors.New("the sidecar did not start")
)

// Sidecar is one sidecar.
type Sidecar struct {
	ID     string
	Name   string
	Config config.Sidecar
	// User is the container's.
	User podnet.User
	// Code is the module's, compiled; nil when there is none.
	Code *code.Code

	control *net.UnixListener
	ended   chan struct{} // closed when the container has ended
	end     sync.Once

	mu      sync.Mutex // guards what follows
	state   state
	command bool // it runs once and answers nobody
	pid     int
	process *os.File // the first process's directory in /proc, until the sidecar has started
}

// Programs are the binaries on the node that run in a sidecar's container.
type Programs struct {
	Holder, Engine string
}

// FindPrograms returns the programs beside the shim's own binary: they are of one release.
func FindPrograms() (Programs, error) {
	self, err := os.Executable()
	if err != nil {
		return Programs{}, err
	}
	dir := filepath.Dir(self)
	p := Programs{Holder: filepath.Join(dir, "mayfly-init"), Engine: filepath.Join(dir, "mayfly-engine")}
	for _, f := range []string{p.Holder, p.Engine} {
		if _, err := os.Stat(f); err != nil {
			return Programs{}, fmt.Errorf("mayfly is not whole on this node: %w; install mayfly-init and mayfly-engine beside the shim", err)
		}
	}
	return p, nil
}

// New rewrites the bundle of a sidecar that is about to be created. The caller must Close what it returns.
func New(id, dir string, spec *bundle.Spec, entry *bundle.Entrypoint, programs Programs) (*Sidecar, error) {
	cfg, err := config.Parse(spec.Env())
	if err != nil {
		return nil, err
	}
	if cfg.Trigger == "" {
		cfg.Trigger = config.TriggerCommand
		if entry.Component {
			cfg.Trigger = config.TriggerHTTP
		}
	}
	pod, err := config.ParsePod(spec.Annotations())
	if err != nil {
		return nil, err
	}
	if pod.Probe != "" {
		if err := spec.DefaultEnv("MAYFLY_PROBE", string(pod.Probe)); err != nil {
			return nil, err
		}
	}
	s := &Sidecar{ID: id, Name: spec.Name(), Config: cfg, ended: make(chan struct{})}
	s.User.UID, s.User.GID, s.User.Groups = spec.User()
	if s.control, err = listenControl(dir); err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	err = spec.RunHolder(entry, bundle.Sources{
		Holder: programs.Holder,
		Engine: programs.Engine,
		Socket: filepath.Join(dir, socketFile),
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// listenControl makes the control socket in the bundle. A bundle's path can be longer than a socket address holds, so it is bound
// through the directory's descriptor.
func listenControl(dir string) (*net.UnixListener, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	path := "/proc/self/fd/" + strconv.Itoa(int(d.Fd())) + "/" + socketFile
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // the path means something else by then; the bundle goes as a whole
	// The container's user, whoever that is, must be able to connect. The bundle's directory keeps everybody else out.
	if err := os.Chmod(path, 0o666); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Created notes the container's first process, whose peer credentials the holder must have. It waits for Start, so its number is its own.
// It returns an error wrapping [ErrRefused] when the process is gone already.
func (s *Sidecar) Created(pid int) error {
	process, err := os.OpenFile("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: the container's process was killed before it ran; its memory limit, or the pod's, is too low", ErrRefused)
	}
	if err != nil {
		return fmt.Errorf("look at the container's process: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pid, s.process = pid, process
	return nil
}

// Owner is the sidecar as the owner of its sockets, between Created and the end of Handshake.
func (s *Sidecar) Owner() podnet.Owner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return podnet.Owner{ID: s.ID, Name: s.Name, Process: s.process, User: s.User}
}

// Command reports whether the sidecar, which has started, is a command: what was bound for it is of no use to it.
func (s *Sidecar) Command() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.command
}

// Is reports whether pid is the container's first process, as far as that is known.
func (s *Sidecar) Is(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid == 0 || s.pid == pid
}

// Handshake meets the holder, hands it the listening sockets and the compiled code, and waits until the engine is ready. It returns an error
// wrapping [ErrRefused] with the engine's words when it is not going to be, and the holder's end, a deadline or ctx as other errors.
func (s *Sidecar) Handshake(ctx context.Context, listeners []*os.File) error {
	defer s.Close() // nobody else has anything to say
	compiled, err := s.Code.Wait(ctx)
	if err != nil {
		return err
	}
	if compiled != nil {
		defer compiled.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	c, err := s.meet(ctx)
	if err != nil {
		return s.explain(ctx, "wait for the holder", err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })()

	if err := s.hand(c, listeners, compiled); err != nil {
		return s.explain(ctx, "hand the listening sockets to the holder", err)
	}
	return s.hear(ctx, c)
}

// hear waits for the holder's word on how the start went.
func (s *Sidecar) hear(ctx context.Context, c *net.UnixConn) error {
	m, err := receive(c)
	if err != nil {
		return s.explain(ctx, "wait for the engine", err)
	}
	switch m.Kind {
	case control.Ready, control.Final:
		_ = s.become(running) // a command may have ended by now
		s.mu.Lock()
		s.command = m.Kind == control.Final
		s.mu.Unlock()
		return nil
	case control.Error:
		return fmt.Errorf("%w: %s", ErrRefused, printable(m.Text))
	}
	return fmt.Errorf("wait for the engine: %w", control.ErrMalformed)
}

// meet accepts the holder's connection and its greeting. Whoever else connects is turned away.
func (s *Sidecar) meet(ctx context.Context) (*net.UnixConn, error) {
	defer context.AfterFunc(ctx, func() { _ = s.control.SetDeadline(time.Now()) })()
	for {
		c, err := s.control.AcceptUnix()
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })
		err = s.greeted(c)
		stop()
		if err == nil {
			return c, nil
		}
		c.Close()
		if errors.Is(err, control.ErrVersion) {
			return nil, err
		}
	}
}

func (s *Sidecar) greeted(c *net.UnixConn) error {
	pid, err := peer(c)
	if err != nil {
		return err
	}
	if !s.Is(pid) {
		return fmt.Errorf("process %d is not the holder", pid)
	}
	m, err := receive(c)
	if err != nil {
		return err
	}
	if m.Kind != control.Hello {
		return control.ErrMalformed
	}
	return nil
}

// explain says why the handshake broke off: a container that ended explains more than a closed socket.
func (s *Sidecar) explain(ctx context.Context, doing string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) {
		// The kernel closes a process's sockets before its end is reported.
		select {
		case <-s.ended:
		case <-time.After(endPatience):
		case <-ctx.Done():
		}
	}
	select {
	case <-s.ended:
		return fmt.Errorf("%w: %s: the container ended; its log may say why, or its memory limit is too low", ErrRefused, doing)
	default:
	}
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return fmt.Errorf("%s: nothing within %s; is the app too large to compile within the container's CPU limit?", doing, startPatience)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Exited says that the container has ended. A handshake under way breaks off.
func (s *Sidecar) Exited() {
	_ = s.become(exited)
	s.Code.Stop()
	s.end.Do(func() { close(s.ended) })
	_ = s.control.SetDeadline(time.Now())
}

// Ended is closed when the container has ended.
func (s *Sidecar) Ended() <-chan struct{} { return s.ended }

// Close frees what the sidecar holds in the shim. It may be called again.
func (s *Sidecar) Close() {
	s.control.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.Close()
		s.process = nil
	}
}

// hand gives the holder what it needs; compiled is nil when there is none. The control socket is the holder's then: the shim has met the
// one it waited for, and from now on it is for tools in the container.
func (s *Sidecar) hand(c *net.UnixConn, listeners []*os.File, compiled *os.File) error {
	var fds []int
	for _, f := range listeners {
		fds = append(fds, int(f.Fd()))
	}
	var words []string
	if compiled != nil {
		words = append(words, control.Compiled)
		fds = append(fds, int(compiled.Fd()))
	}
	tools, err := s.control.File()
	if err != nil {
		return err
	}
	defer tools.Close()
	words = append(words, control.Tools)
	fds = append(fds, int(tools.Fd()))
	m := control.Message{Kind: control.Listen, Text: strings.Join(words, " ")}
	_, _, err = c.WriteMsgUnix(control.Append(nil, m), unix.UnixRights(fds...), nil)
	return err
}

// receive reads one message. Descriptors that come with it are not asked for, and the kernel discards them.
func receive(c *net.UnixConn) (control.Message, error) {
	buf := make([]byte, control.MaxMessage+1)
	n, err := c.Read(buf)
	if err != nil {
		return control.Message{}, err
	}
	return control.Parse(buf[:n])
}

// peer returns the process at the other end, as this process's namespace numbers it.
func peer(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, credErr); err != nil {
		return 0, err
	}
	return int(cred.Pid), nil
}
