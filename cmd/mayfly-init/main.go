//go:build linux

// Command mayfly-init is the holder: the first process of a sidecar's container, there as long as the container is.
//
// It takes the pod's listening sockets from the shim and starts the engine, which serves them. While there is no engine, because
// it went idle or died, the holder waits on the sockets, and the first byte of a request starts the next one. A peer that
// connects and says nothing wakes nobody, nor does a probe of kubelet's, which the holder answers. To the tools that kubectl exec runs in the
// container it says how things are; the smallest of them it is itself:
//
//	mayfly-init probe
//
// There is one holder for every sidecar of a node, almost all of them waiting, so it is small before it is anything else: one
// thread in poll(2), no fmt, no net, no garbage after start. Its arguments are the engine's.
package main

import (
	"os"
	"runtime"
	"strings"

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
	if len(engineArgs) == 1 && engineArgs[0] == "probe" {
		return probe()
	}
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
	h := &holder{engineArgs: engineArgs, signals: signals, shim: shim, tools: -1, probes: os.Getenv("MAYFLY_PROBE") != "guest"}
	if err := h.greet(); err != nil {
		return fail("take the listening sockets from the shim", err)
	}
	return h.run()
}

// greet says hello to the shim and takes the listening sockets, and what the shim has words for.
func (h *holder) greet() error {
	if err := h.shim.Send(control.Message{Kind: control.Hello}); err != nil {
		return err
	}
	m, fds, err := h.shim.Recv()
	if err != nil {
		return err
	}
	words := strings.Fields(m.Text)
	if m.Kind != control.Listen || len(words) > len(fds) {
		control.CloseAll(fds)
		return control.ErrMalformed
	}
	sockets := len(fds) - len(words)
	h.listeners = fds[:sockets:sockets]
	for i, word := range words {
		fd := fds[sockets+i]
		switch word {
		case control.Compiled:
			h.compiled = []int{fd}
		case control.Tools:
			h.tools = fd
		default:
			unix.Close(fd) // of a newer shim
		}
	}
	for _, fd := range append(h.listeners, h.tools) {
		if err := unix.SetNonblock(fd, true); err != nil && fd >= 0 {
			return err
		}
	}
	return nil
}

func fail(doing string, err error) int {
	say(doing + ": " + err.Error())
	return 1
}

// say writes one line to the container's log.
func say(text string) {
	_, _ = os.Stderr.WriteString("mayfly-init: " + text + "\n")
}
