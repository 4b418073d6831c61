//go:build linux

package main

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// record is what the holder knows of its engines, for those who ask: probes and tools.
type record struct {
	engines uint64 // started
	wakes   uint64 // of them, those started for a request
	probed  uint64 // probes answered
	lame    bool   // the last one died before it was ready
	why     string // the last one failed
	// figures are the last that an engine sent.
	figures [control.MaxFigures]byte
	count   int
}

// note keeps the figures of an engine. One that does not serve yet has none.
func (r *record) note(figures []byte) {
	if len(figures) > 0 {
		r.count = copy(r.figures[:], figures)
	}
}

// status says how things are. It allocates nothing: a probe asks each second.
func (h *holder) status() control.Status {
	s := control.Status{
		Doing: control.Asleep, Ready: true, Sentence: "the sidecar sleeps: the next request wakes it",
		Holder: os.Getpid(), Engines: h.engines, Wakes: h.wakes, Failures: uint64(h.failures), Probes: h.probed, Figures: h.figures[:h.count],
	}
	if h.engine != nil {
		s.Engine = h.engine.pid
	}
	switch {
	case h.stopping:
		s.Doing, s.Ready, s.Sentence = control.Draining, false, "the container is stopping: requests in flight may finish"
	case h.engine != nil && h.engine.final:
		s.Doing, s.Sentence = control.Running, "the command runs"
	case h.engine != nil && h.engine.ready:
		s.Doing, s.Sentence = control.Serving, "the sidecar serves requests"
	case h.engine != nil && h.shim != nil:
		s.Doing, s.Ready, s.Sentence = control.Loading, false, "the sidecar is being started"
	case h.fails():
		s.Doing, s.Ready, s.Sentence = control.Failing, false, h.why
		if h.engine != nil {
			s.Doing = control.Loading
		}
	case h.engine != nil:
		s.Doing, s.Sentence = control.Loading, "the sidecar is waking up"
	}
	return s
}

// fails reports whether engines keep failing: the last one did before it could serve, or one after the other does. A single one that
// dies while it serves is replaced at once.
func (h *holder) fails() bool { return h.lame || h.failures > 1 }

// inform tells a tool how things are, which is what it connected for.
func (h *holder) inform(tools unix.PollFd) {
	if tools.Revents == 0 {
		return
	}
	fd, err := accept(int(tools.Fd))
	switch {
	case err == unix.EAGAIN || err == unix.ECONNABORTED || err == unix.EINTR:
		return
	case err != nil:
		// Without descriptors this would be asked for ever. Who connects to nobody is refused, and says so.
		say("accept a tool's connection: " + err.Error() + "; mayfly's tools do not work in this container any more")
		unix.Close(h.tools)
		h.tools = -1
		return
	}
	s := h.status()
	if s.Doing == control.Failing {
		h.trial = true
	}
	send(fd, control.AppendStatus(control.Append(h.buffer[:0], control.Message{Kind: control.State}), &s))
	unix.Close(fd)
}
