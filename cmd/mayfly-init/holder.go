//go:build linux

package main

import (
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

const (
	// beatWait is the longest single wait for a sign of life, several of the engine's beats; an engine silent for maxQuiet is killed.
	// What counts is time spent in waits, each for beatWait at most: a container that was paused finds one wait over when it
	// resumes, not a dead engine, and signals that cut waits short do not keep a hung one alive.
	beatWait = 2500 * time.Millisecond
	maxQuiet = 10 * time.Second

	// maxLoading is how long an engine that beats may take to be ready. The shim gives the first one as long.
	maxLoading = 90 * time.Second
)

// holder is the event loop's state. Everything happens on one goroutine.
type holder struct {
	engineArgs []string
	signals    *signalWatch
	shim       *control.Conn // nil once the shim was told how the first start went
	listeners  []int
	compiled   []int // the directory with compiled code, if there is one
	tools      int   // the listening socket for tools, -1 where there is none
	probes     bool  // are answered here, and not by the guest
	waiting    doorway
	record

	engine   *engine   // nil while there is none
	trial    bool      // one is to be started to see whether it fails, too
	ended    int       // engines
	failures int       // in a row
	oomKills int       // processes killed for memory, as far as is known
	notTill  time.Time // no engine before this
	stopping bool
	failing  bool // a clean end is to look like a failure

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

// exit ends the loop. The first reason counts.
func (h *holder) exit(code int) {
	if h.failing && code == 0 {
		code = 1
	}
	if !h.done {
		h.code, h.done = code, true
	}
}

// giveUp ends the container, as nothing but another one helps.
func (h *holder) giveUp(why string) {
	say(why + "; ending, so that the container is started again")
	control.LastWords(why)
	h.exit(1)
}

// start starts an engine and hands it conns.
func (h *holder) start(conns []visitor) {
	h.engines++
	e, err := startEngine(h.engineArgs, h.listeners, h.compiled, conns)
	if err != nil {
		h.waiting.takeBack(conns)
		h.lame = true
		h.failed("the engine could not be started: " + err.Error())
		return
	}
	h.engine = e
}

// attend waits for news of a running engine and acts on it.
func (h *holder) attend() {
	status := h.engine.status.Fd()
	if h.engine.gone {
		status = -1
	}
	h.polled = append(h.polled[:0], readable(h.signals.fd), readable(h.tools), readable(status))
	atDoor := h.engine.slow
	if atDoor {
		h.watchDoor()
	}
	begin := time.Now()
	n := h.poll(beatWait)
	h.engine.waited(min(time.Since(begin), beatWait))
	if h.polled[2].Revents != 0 {
		h.listen()
	}
	if atDoor && h.engine.slow && !h.done { // it is not, once it is ready
		h.tend()
	}
	h.inform(h.polled[1])
	if !h.done && (n == 0 || h.polled[0].Revents != 0) {
		h.signalled()
	}
	if !h.done && h.engine != nil {
		h.killIfHung()
	}
}

func (h *holder) killIfHung() {
	e := h.engine
	switch {
	case e.quiet >= maxQuiet:
		say("the engine gave no sign of life for " + maxQuiet.String() + ": killing it")
	case e.loading >= maxLoading:
		say("the engine was not ready after " + maxLoading.String() + ": killing it")
	default:
		return
	}
	e.kill()
	e.quiet, e.loading = 0, 0
}

// listen takes one message of the engine and reports whether there was one.
func (h *holder) listen() bool {
	kind, text, err := h.engine.status.Next(&h.buffer)
	switch {
	case err == unix.EAGAIN:
	case err == io.EOF:
		h.engine.gone = true
	case err != nil:
		// Talking nonsense: not an engine to keep.
		h.engine.gone = true
		h.engine.kill()
	default:
		h.engine.quiet = 0
		h.heard(kind, text)
		return true
	}
	return false
}

func (h *holder) heard(kind control.Kind, text []byte) {
	switch kind {
	case control.Beat:
		h.note(text)
	case control.Slow:
		h.engine.slow = !h.engine.ready
	case control.Final:
		h.engine.final = true
	case control.Idle:
		h.engine.idle = true
		h.note(text)
	case control.Ready:
		h.engine.ready = true
		h.note(text)
		h.lame = false
		closeAll(h.engine.conns)
		h.engine.conns = nil
		h.handOver()
		h.waiting.tries = 0
		if h.engine.final {
			h.hangUp()
			kind = control.Final
		}
		h.tell(control.Message{Kind: kind})
	case control.Error:
		m := control.Message{Kind: kind, Text: string(text)}
		// Only the first start can refuse: later the pod is running, and its requests wait for a better engine.
		if h.shim != nil {
			h.tell(m)
			h.exit(1)
			return
		}
		h.engine.refusal = m.Text
	}
}

// hangUp closes the listening sockets: a command answers nobody, and others may want its port.
func (h *holder) hangUp() {
	control.CloseAll(h.listeners)
	h.listeners = nil
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

// poll waits for events on h.polled, for d or for ever when d is negative, and returns how many descriptors have some: none, too, when
// a signal cut the wait short.
func (h *holder) poll(d time.Duration) int {
	ms := -1
	if d >= 0 {
		ms = int((d + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.Poll(h.polled, ms)
	if err == nil {
		return n
	}
	if err != unix.EINTR {
		h.giveUp("wait for events: " + err.Error()) // it would fail again, at once and for ever
	}
	return 0
}
