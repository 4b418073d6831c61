//go:build linux

package main

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// engine is the child that serves requests.
type engine struct {
	pid     int
	status  *control.Conn
	conns   []visitor // handed to it; kept until it is ready, for the next one should it die before
	started time.Time
	ready   bool   // it said Ready
	slow    bool   // it said Slow: it can be handed more when it is ready
	final   bool   // it said Final: its exit is the container's
	idle    bool   // it said Idle: it leaves because there is nothing to do
	killed  bool   // by the holder, which has said why
	gone    bool   // its end of the link is closed: it is dead or about to be
	refusal string // why it says that it cannot serve

	quiet   time.Duration // waited for since it last said anything
	loading time.Duration // waited for until it was ready
}

// waited adds to what the engine was waited for.
func (e *engine) waited(d time.Duration) {
	e.quiet += d
	if !e.ready {
		e.loading += d
	}
}

// startEngine starts one with the listening sockets, the compiled code and connections that are accepted already. Those become the
// engine's, unless there is an error.
func startEngine(args []string, listeners, compiled []int, conns []visitor) (*engine, error) {
	ours, theirs, err := control.Pair()
	if err != nil {
		return nil, err
	}
	// Not theirs.Close: that would hang up the child's copy as well.
	defer unix.Close(theirs.Fd())
	files := []uintptr{0, 1, 2, uintptr(theirs.Fd())}
	argv := []string{"mayfly-engine", "-status", "3", "-take"}
	argv, files = appendFiles(argv, files, "-listen", listeners)
	argv, files = appendFiles(argv, files, "-compiled", compiled)
	argv, files = appendFiles(argv, files, "-conn", descriptors(conns, false))
	argv, files = appendFiles(argv, files, "-greeted", descriptors(conns, true))
	pid, err := syscall.ForkExec(enginePath, append(argv, args...), &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: files,
		// An engine without holder would answer for a container that is gone.
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		ours.Close()
		return nil, err
	}
	if err := unix.SetNonblock(ours.Fd(), true); err != nil {
		ours.Close()
		return nil, err
	}
	return &engine{pid: pid, status: ours, conns: conns, started: time.Now()}, nil
}

// descriptors are those of connections that were greeted, or not.
func descriptors(conns []visitor, greeted bool) []int {
	var fds []int
	for _, c := range conns {
		if c.greeted == greeted {
			fds = append(fds, c.fd)
		}
	}
	return fds
}

// takePatience is how long an engine may take to take a few connections.
const takePatience = time.Second

// take hands it connections.
func (e *engine) take(fds []int, text string) error {
	for len(fds) > 0 {
		n := min(len(fds), control.MaxFiles)
		if err := e.send(control.Message{Kind: control.Take, Text: text}, fds[:n]...); err != nil {
			return err
		}
		fds = fds[n:]
	}
	return nil
}

// send waits until there is room: the link holds some ten messages.
func (e *engine) send(m control.Message, fds ...int) error {
	err := e.status.Send(m, fds...)
	for end := time.Now().Add(takePatience); err == unix.EAGAIN && time.Now().Before(end); err = e.status.Send(m, fds...) {
		room := []unix.PollFd{{Fd: int32(e.status.Fd()), Events: unix.POLLOUT}}
		_, _ = unix.Poll(room, int(takePatience/time.Millisecond))
	}
	return err
}

func (e *engine) kill() {
	e.killed = true
	_ = unix.Kill(e.pid, unix.SIGKILL)
}

func appendFiles(argv []string, files []uintptr, flag string, fds []int) ([]string, []uintptr) {
	if len(fds) == 0 {
		return argv, files
	}
	list := ""
	for i, fd := range fds {
		if i > 0 {
			list += ","
		}
		list += strconv.Itoa(len(files))
		files = append(files, uintptr(fd))
	}
	return append(argv, flag, list), files
}
