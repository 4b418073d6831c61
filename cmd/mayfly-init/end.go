//go:build linux

package main

import (
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

const (
	// Engines that die are started again at once the first time, then after a doubling delay.
	firstDelay = 100 * time.Millisecond
	maxDelay   = 10 * time.Second
	// An engine that served this long starts the count of failures anew.
	healthy = 10 * time.Second

	// maxLastWords bounds what is read of a dead engine, which is more than a socket holds.
	maxLastWords = 1000

	// Each engine leaves some KB of garbage, its environment mostly. Go's collector would let 4 MB of it gather; yet its first run
	// costs 0.25 MB for good, which most holders need not pay.
	tidyEvery = 64
)

// signalled acts on signals: a stop is passed to the engine, dead children are reaped.
func (h *holder) signalled() {
	if s := h.signals.take(); s != 0 {
		why(s)
		h.stopping = true
		h.failing = h.failing || s == control.SignalFailed
		if h.engine == nil {
			h.exit(0)
			return
		}
		_ = unix.Kill(h.engine.pid, unix.SIGTERM)
	}
	h.reap()
}

// reap takes the exit status of every dead child: the engine, and whatever exec left to the first process.
func (h *holder) reap() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
		if h.engine != nil && pid == h.engine.pid {
			h.engineEnded(ws)
		}
	}
}

func (h *holder) engineEnded(ws syscall.WaitStatus) {
	// What it said just before its end is still to be read. That need not end in EOF: a process it left behind may have the link, and
	// may even talk.
	for n := 0; n < maxLastWords && !h.engine.gone && !h.done && h.listen(); n++ {
	}
	e := h.engine
	e.status.Close()
	h.engine = nil
	h.waiting.takeBack(e.conns)
	if h.ended++; h.ended%tidyEvery == 0 {
		runtime.GC()
	}
	switch {
	case h.done:
	case h.stopping && !e.ready && !e.final && ws.Signaled() && ws.Signal() == syscall.SIGTERM:
		h.exit(0) // it had not come to watch for the signal yet, and had nothing to finish
	case h.stopping, e.final:
		if !h.stopping && ws.Signaled() {
			control.LastWords("the guest's engine " + describe(ws))
		}
		h.exit(exitCode(ws))
	case e.ready && e.idle && ws.Exited() && ws.ExitStatus() == 0:
		h.failures = 0
	case !e.killed && ws.Signaled() && ws.Signal() == syscall.SIGKILL && h.killedForMemory():
		if h.shim != nil {
			h.failed("the engine came to the container's memory limit and was killed")
			return
		}
		// As where kubelet has the kernel kill all of a container at once, which it does with cgroup v2: a limit that is too low is to be
		// seen.
		say("the engine was killed at the container's memory limit: ending, so that this is seen as OOMKilled")
		control.LastWords("the engine was killed at the container's memory limit")
		h.exit(outOfMemory)
	default:
		if e.ready && time.Since(e.started) > healthy {
			h.failures = 0
		}
		how := describe(ws)
		if e.killed {
			how = "was killed"
		}
		if e.refusal != "" {
			how += ": " + e.refusal
		}
		h.lame = !e.ready
		h.failed("the engine " + how)
	}
}

// failed counts an engine that died or would not start, and sets when the next may.
func (h *holder) failed(why string) {
	if h.shim != nil {
		h.tell(control.Message{Kind: control.Error, Text: why + " before it was ready; the container's log may say more"})
		h.exit(1)
		return
	}
	delay := time.Duration(0)
	if h.failures > 0 {
		delay = min(firstDelay<<min(h.failures-1, 10), maxDelay)
	}
	h.failures++
	h.notTill = time.Now().Add(delay)
	h.why = "the sidecar fails: " + why
	say(why + "; the next request starts another, not before " + delay.String())
}

// describe says how a process ended.
func describe(ws syscall.WaitStatus) string {
	switch {
	case ws.Signaled() && ws.Signal() == syscall.SIGKILL:
		return "was killed (signal 9; the memory limit of the container is the usual reason)"
	case ws.Signaled():
		return "ended by signal " + strconv.Itoa(int(ws.Signal()))
	default:
		return "exited with status " + strconv.Itoa(ws.ExitStatus())
	}
}

// exitCode is ws as a shell would report it.
func exitCode(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
