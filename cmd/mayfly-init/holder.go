//go:build linux

package main

import (
	"io"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

const (
	// beatWait is how long the holder waits for a sign of life, several of the engine's beats; after maxQuiet such
	// waits in a row it kills the engine. Waits are counted rather than time measured: a container that was
	// paused finds one wait over when it resumes, not a dead engine.
	beatWait = 2500 * time.Millisecond
	maxQuiet = 4

	// Engines that die are started again at once the first time, then after a doubling delay.
	firstDelay = 100 * time.Millisecond
	maxDelay   = 10 * time.Second
	// Each engine leaves some 8 KB of garbage, its environment mostly. Go's collector would let 4 MB of it gather; yet its first run
	// costs 0.4 MB for good, which most holders need not pay.
	tidyEvery = 64
	// An engine that lived this long starts the count of failures anew.
	healthy = 10 * time.Second
)

// holder is the event loop's state. Everything happens on one goroutine.
type holder struct {
	engineArgs []string
	signals    *signalWatch
	shim       *control.Conn // nil once the shim was told how the first start went
	listeners  []int
	waiting    doorway

	engine   *engine // nil while there is none
	started  time.Time
	ended    int // engines
	failures int
	notTill  time.Time // no engine before this
	stopping bool

	code int // the exit status, once done
	done bool

	polled []unix.PollFd  // reused by each wait
	buffer control.Buffer // reused by each message
}

// run starts the first engine and goes on until the container is to end. It returns the exit status.
func (h *holder) run() int {
	h.start(nil)
	for !h.done {
		if h.engine != nil {
			h.attend()
		} else {
			h.wait()
		}
	}
	return h.code
}

func (h *holder) exit(code int) {
	h.code, h.done = code, true
}

// start starts an engine and hands it conns, whose descriptors are closed here.
func (h *holder) start(conns []int) {
	e, err := startEngine(h.engineArgs, h.listeners, conns)
	control.CloseAll(conns)
	h.started = time.Now()
	if err != nil {
		h.failed("the engine could not be started: " + err.Error())
		return
	}
	h.engine = e
}

// attend waits for news of a running engine and acts on it.
func (h *holder) attend() {
	h.polled = append(h.polled[:0], unix.PollFd{Fd: int32(h.signals.fd), Events: unix.POLLIN})
	if !h.engine.gone {
		h.polled = append(h.polled, unix.PollFd{Fd: int32(h.engine.status.Fd()), Events: unix.POLLIN})
	}
	if poll(h.polled, beatWait) == 0 {
		h.missedBeat()
		return
	}
	if len(h.polled) > 1 && h.polled[1].Revents != 0 {
		h.listen()
	}
	if h.polled[0].Revents != 0 && !h.done {
		h.signalled()
	}
}

func (h *holder) missedBeat() {
	if h.engine.quiet++; h.engine.quiet < maxQuiet {
		return
	}
	say("the engine gave no sign of life for " + (maxQuiet * beatWait).String() + ": killing it")
	_ = unix.Kill(h.engine.pid, unix.SIGKILL)
	h.engine.quiet = 0
}

// listen takes one message of the engine.
func (h *holder) listen() {
	m, err := h.engine.status.Next(&h.buffer)
	switch {
	case err == unix.EAGAIN:
	case err == io.EOF:
		h.engine.gone = true
	case err != nil:
		// Talking nonsense: not an engine to keep.
		h.engine.gone = true
		_ = unix.Kill(h.engine.pid, unix.SIGKILL)
	default:
		h.engine.quiet = 0
		h.heard(m)
	}
}

func (h *holder) heard(m control.Message) {
	switch m.Kind {
	case control.Final:
		h.engine.final = true
	case control.Idle:
		h.engine.idle = true
	case control.Ready:
		h.tell(m)
	case control.Error:
		// Only the first start can refuse: later the pod is running, and its requests wait for a better engine.
		if h.shim != nil {
			h.tell(m)
			h.exit(1)
		}
	}
}

// tell passes how the first start went to the shim and hangs up.
func (h *holder) tell(m control.Message) {
	if h.shim == nil {
		return
	}
	if err := h.shim.Send(m); err != nil {
		say("tell the shim: " + err.Error())
	}
	h.shim.Close()
	h.shim = nil
}

// signalled acts on signals: a stop is passed to the engine, dead children are reaped.
func (h *holder) signalled() {
	stop, child := h.signals.take()
	if stop {
		h.stopping = true
		if h.engine == nil {
			h.exit(0)
			return
		}
		_ = unix.Kill(h.engine.pid, unix.SIGTERM)
	}
	if child {
		h.reap()
	}
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
	// What it said just before its end is still to be read.
	for !h.engine.gone && !h.done {
		h.listen()
	}
	e := h.engine
	e.status.Close()
	h.engine = nil
	if h.ended++; h.ended%tidyEvery == 0 {
		runtime.GC()
	}
	switch {
	case h.done:
	case h.stopping, e.final:
		h.exit(exitCode(ws))
	case e.idle && ws.ExitStatus() == 0:
		h.failures = 0
	default:
		h.failed("the engine " + describe(ws))
	}
}

// failed counts an engine that died or would not start, and sets when the next may.
func (h *holder) failed(why string) {
	if h.shim != nil {
		h.tell(control.Message{Kind: control.Error, Text: why + " before it was ready; the container's log may say more"})
		h.exit(1)
		return
	}
	if time.Since(h.started) > healthy {
		h.failures = 0
	}
	delay := time.Duration(0)
	if h.failures > 0 {
		delay = min(firstDelay<<min(h.failures-1, 10), maxDelay)
	}
	h.failures++
	h.notTill = time.Now().Add(delay)
	say(why + "; the next request starts another, not before " + delay.String())
}

// poll waits for events, for d or for ever when d is negative, and returns how many descriptors have some.
func poll(fds []unix.PollFd, d time.Duration) int {
	ms := -1
	if d >= 0 {
		ms = int((d + time.Millisecond - 1) / time.Millisecond)
	}
	for {
		n, err := unix.Poll(fds, ms)
		if err == unix.EINTR {
			continue
		}
		return n
	}
}
