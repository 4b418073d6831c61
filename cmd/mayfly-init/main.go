//go:build linux

// Command mayfly-init is the holder: the first process of a sidecar's container, there as long as the container is.
//
// It takes the pod's listening sockets from the shim and starts the engine, which serves them. While there is no engine, because
// it went idle or died, the holder waits on the sockets, and the first byte of a request starts the next one. A peer that
// connects and says nothing wakes nobody.
//
// There is one holder for every sidecar of a node, almost all of them waiting, so it is small before it is anything else: one
// thread in poll(2), no fmt, no net, no garbage after start. Its arguments are the engine's.
package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// Where the shim puts things; tests link other places in.
var (
	socketPath = control.SocketPath
	enginePath = control.EnginePath
)

func init() {
	// The engine is told to die with the thread that started it: that thread must be the process.
	runtime.LockOSThread()
}

func main() { os.Exit(run(os.Args[1:])) }

func run(engineArgs []string) int {
	alone()
	// Where the pod shares its process namespace the holder is not pid 1, and orphans would go past it.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	signals, err := watchSignals()
	if err != nil {
		return fail("watch signals", err)
	}
	shim, err := control.Dial(socketPath)
	if err != nil {
		return fail("connect to the shim at "+socketPath, err)
	}
	listeners, compiled, err := greet(shim)
	if err != nil {
		return fail("take the listening sockets from the shim", err)
	}
	h := &holder{
		engineArgs: engineArgs,
		signals:    signals,
		shim:       shim,
		listeners:  listeners,
		compiled:   compiled,
	}
	return h.run()
}

// greet says hello to the shim and takes the listening sockets, and the directory with the compiled code where there is one.
func greet(shim *control.Conn) (listeners, compiled []int, err error) {
	if err := shim.Send(control.Message{Kind: control.Hello}); err != nil {
		return nil, nil, err
	}
	m, fds, err := shim.Recv()
	if err != nil {
		return nil, nil, err
	}
	sockets := len(fds)
	if m.Text == control.Compiled {
		sockets--
	}
	if m.Kind != control.Listen || sockets < 0 {
		control.CloseAll(fds)
		return nil, nil, control.ErrMalformed
	}
	listeners, compiled = fds[:sockets:sockets], fds[sockets:]
	for _, fd := range listeners {
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, nil, err
		}
	}
	return listeners, compiled, nil
}

func fail(doing string, err error) int {
	say(doing + ": " + err.Error())
	return 1
}

// say writes one line to the container's log.
func say(text string) {
	_, _ = os.Stderr.WriteString("mayfly-init: " + text + "\n")
}
