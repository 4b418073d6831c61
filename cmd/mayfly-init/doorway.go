//go:build linux

package main

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/kubeprobe"
)

const (
	// maxIdlers bounds the connections kept open whom nobody has to answer: those that said nothing, or were answered. Beyond it the
	// oldest is closed.
	maxIdlers = 64
	// maxWaiting bounds those that have to be answered. Beyond it the door is shut, and who comes queues in the kernel.
	maxWaiting = 512
	// maxHesitant bounds those of them that have said a beginning which may become a probe: for more an engine is started.
	maxHesitant = 32
	// crowded is how long the door stays shut when the kernel has no descriptor or memory for one more connection.
	crowded = 100 * time.Millisecond
	// maxAfterwards bounds how often one is listened to after it was answered: gRPC's client says a little more before it hangs up.
	maxAfterwards = 16
	// maxTries bounds the engines that die at start with the same connections. Then their peers are told, by hanging up: some may
	// have left long ago, which does not show behind unread data, and would have engines started for nobody.
	maxTries = 5
)

// doorway holds connections that were accepted while no engine serves.
//
// The sockets defer accept until data is there, but the kernel gives that up after a while, and unix sockets have no such thing.
type doorway struct {
	visitors []visitor
	hesitant int       // of them, those that have said a beginning
	tries    int       // engines that died at start with some of them
	notTill  time.Time // the door is shut before this
	trouble  error     // of the last accept, so that it is logged once
}

// wait stands at the door while there is no engine, until somebody wants one, then starts it.
func (h *holder) wait() {
	patience := time.Duration(-1)
	if h.wanted() {
		// Backing off: who comes waits, and probes are answered.
		patience = max(time.Until(h.notTill), 0)
	}
	if shut := time.Until(h.waiting.notTill); shut > 0 && (patience < 0 || shut < patience) {
		patience = shut
	}
	h.polled = append(h.polled[:0], readable(h.signals.fd), readable(h.tools), readable(-1))
	h.watchDoor()
	h.poll(patience)
	h.signalled()
	if h.done {
		return
	}
	h.tend()
	h.inform(h.polled[1])
	if !h.done && h.wanted() && !time.Now().Before(h.notTill) {
		h.wake()
	}
}

// beforeDoor is how many descriptors are polled beside those of the door.
const beforeDoor = 3

// watchDoor adds the door and who waits to what is polled.
func (h *holder) watchDoor() {
	d := &h.waiting
	closed := h.full() || time.Now().Before(d.notTill)
	for _, fd := range h.listeners {
		if closed {
			fd = -1
		}
		h.polled = append(h.polled, readable(fd))
	}
	d.hesitant = 0
	for i := range d.visitors {
		fd := d.visitors[i].fd
		switch v := &d.visitors[i]; {
		case v.manner == spoke:
			fd = -1
		case v.manner == silent && v.seen > 0:
			d.hesitant++
		}
		h.polled = append(h.polled, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP})
	}
}

// tend looks at who there is news of, and lets in who comes.
func (h *holder) tend() {
	doors := h.polled[beforeDoor : beforeDoor+len(h.listeners)]
	h.look(h.polled[beforeDoor+len(doors):])
	for i := 0; i < len(doors) && !h.done; i++ {
		if doors[i].Revents != 0 && !h.full() {
			h.open(doors[i])
		}
	}
}

// wanted reports whether there is something to start an engine for.
func (h *holder) wanted() bool { return h.trial || h.waiting.some() }

// wake starts an engine and hands it who is there.
func (h *holder) wake() {
	d := &h.waiting
	if d.some() {
		h.wakes++
	}
	h.trial = false
	h.start(d.leave())
}

// leave takes those who are there, as they came, for an engine.
func (d *doorway) leave() []visitor {
	conns := d.visitors[:0]
	for _, v := range d.visitors {
		if v.manner == answered {
			unix.Close(v.fd)
			continue
		}
		v.compose()
		conns = append(conns, v)
	}
	d.visitors = nil
	return conns
}

// handOver gives who came while the engine was loading to it. If that fails they are for the next one.
func (h *holder) handOver() {
	if !h.engine.slow {
		return
	}
	h.engine.slow = false
	conns := h.waiting.leave()
	if h.engine.final {
		closeAll(conns) // a command answers nobody
		return
	}
	err := h.engine.take(descriptors(conns, false), "")
	if err == nil {
		err = h.engine.take(descriptors(conns, true), control.Greeted)
	}
	if err == nil {
		err = h.engine.send(control.Message{Kind: control.Take})
	}
	if err != nil {
		say("hand connections to the engine: " + err.Error() + ": killing it")
		h.waiting.visitors = conns
		h.engine.kill()
		return
	}
	closeAll(conns)
}

// open takes one connection. One at a time is enough: an engine takes the others.
func (h *holder) open(door unix.PollFd) {
	d := &h.waiting
	fd, err := accept(int(door.Fd))
	switch {
	case door.Revents&(unix.POLLHUP|unix.POLLNVAL) != 0 || err == unix.EINVAL:
		// Copies of a socket are one socket: whoever has another can do this, and it cannot be undone.
		h.giveUp("a listening socket was shut down by another process that has it")
	case err == unix.EAGAIN || err == unix.ECONNABORTED || err == unix.EINTR:
		// Whoever knocked has left.
	case err != nil:
		d.notTill = time.Now().Add(crowded)
		d.closeOldest()
		if err != d.trouble {
			say("accept a connection: " + err.Error() + "; trying again every " + crowded.String())
		}
		d.trouble = err
	default:
		d.trouble = nil
		v := visitor{fd: fd}
		if !h.judge(&v, 0) {
			unix.Close(fd)
			return
		}
		if d.idlers() >= maxIdlers {
			d.closeOldest()
		}
		d.visitors = append(d.visitors, v)
	}
}

// look looks at those of whom there is news, and forgets who has left.
func (h *holder) look(polled []unix.PollFd) {
	d := &h.waiting
	kept := d.visitors[:0]
	for i, v := range d.visitors {
		if polled[i].Revents == 0 || h.judge(&v, polled[i].Revents) {
			kept = append(kept, v)
		} else {
			unix.Close(v.fd)
		}
	}
	d.visitors = kept
	if len(kept) == 0 {
		d.tries = 0
	}
}

// judge looks at what a visitor says, without taking it, and answers a probe. news is what poll(2) has of it, if anything. It returns false
// for one whose connection is of no more use.
func (h *holder) judge(v *visitor, news int16) bool {
	buf := h.buffer[:kubeprobe.MaxHead]
	if v.manner == answered {
		v.seen++
		n, err := receive(v.fd, buf, 0) // what it says now does not matter
		return v.seen < maxAfterwards && (n > 0 || err == unix.EAGAIN)
	}
	n, err := receive(v.fd, buf, unix.MSG_PEEK)
	switch {
	case err == unix.EAGAIN:
		// Readable with nothing to read is urgent data. No request begins with it, and it would wake us for ever.
		return news == 0
	case err != nil || n == 0:
		return false
	case n == v.seen && news&unix.POLLRDHUP != 0:
		return false // a head that breaks off is no request
	case n == v.seen && !v.puzzled:
		// While a connection ends poll(2) may count its end as a byte and not know yet what it is: the next look will tell.
		v.puzzled = true
		return true
	}
	kind, stream := kubeprobe.Other, uint32(0)
	// With news and no more to read than before there is nothing that could be waited for.
	if more := n > v.seen; more && h.probes && isTCP(v.fd) {
		kind, stream = kubeprobe.Read(buf[:n])
	}
	if kind < kubeprobe.Other && v.seen == 0 {
		if h.waiting.hesitant++; h.waiting.hesitant > maxHesitant {
			kind = kubeprobe.Other
		}
	}
	switch kind {
	case kubeprobe.Greet:
		if !v.greeted {
			send(v.fd, append(buf[:0], kubeprobe.Settings...))
			v.greeted = true
		}
		v.expect(n)
	case kubeprobe.More:
		v.expect(n)
	case kubeprobe.HTTP, kubeprobe.GRPC:
		_, _ = receive(v.fd, buf[:n], 0)
		h.answer(v, kind, stream)
		v.manner = answered
		v.expect(0)
	case kubeprobe.Other:
		v.manner = spoke
	}
	return true
}

// answer answers a probe.
func (h *holder) answer(v *visitor, kind kubeprobe.Kind, stream uint32) {
	s := h.status()
	if s.Doing == control.Failing {
		h.trial = true // nobody sends requests to a sidecar that is not ready: the next engine is started for the probe
	}
	h.probed++
	b := h.buffer[:0]
	if kind == kubeprobe.HTTP {
		b = kubeprobe.AppendHTTP(b, s.Ready, "holder", s.Sentence)
	} else {
		b = kubeprobe.AppendGRPC(b, stream, v.greeted, s.Ready, "holder")
	}
	send(v.fd, b)
}

// isTCP reports whether a connection is one over which kubelet may come. A unix socket cannot be waited on for more than it has.
func isTCP(fd int) bool {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && domain != unix.AF_UNIX
}

// takeBack takes connections whose engine did not come to serve them: they start the next one.
func (d *doorway) takeBack(conns []visitor) {
	if len(conns) == 0 {
		return
	}
	if d.tries++; d.tries < maxTries {
		d.visitors = append(conns, d.visitors...) // few have come meanwhile: only while it was loading, and slow
		return
	}
	closeAll(conns)
	d.tries = 0
}

// some reports whether somebody waits for an engine.
func (d *doorway) some() bool {
	for i := range d.visitors {
		if d.visitors[i].manner == spoke {
			return true
		}
	}
	return false
}

// full reports whether there is room for nobody more. Those that an engine was handed and has not come to serve count: they may come back, and
// an engine takes a thousand at most.
func (h *holder) full() bool {
	n := len(h.waiting.visitors)
	if h.engine != nil {
		n += len(h.engine.conns)
	}
	return n >= maxWaiting && n-h.waiting.idlers() >= maxWaiting
}

// idlers is how many there are whom nobody has to answer.
func (d *doorway) idlers() int {
	n := 0
	for i := range d.visitors {
		if d.visitors[i].idles() {
			n++
		}
	}
	return n
}

// closeOldest closes the connection of the oldest of those, if there is one.
func (d *doorway) closeOldest() {
	for i := range d.visitors {
		if d.visitors[i].idles() {
			unix.Close(d.visitors[i].fd)
			d.visitors = append(d.visitors[:i], d.visitors[i+1:]...)
			return
		}
	}
}

func closeAll(conns []visitor) {
	for _, v := range conns {
		unix.Close(v.fd)
	}
}

// readable asks poll(2) for input on fd; a negative one is left out.
func readable(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd), Events: unix.POLLIN} }
