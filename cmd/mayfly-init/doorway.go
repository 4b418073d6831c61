//go:build linux

package main

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

const (
	// maxSilent bounds the connections kept open that have not said anything; beyond it the oldest is closed.
	maxSilent = 64
	// crowded is how long the door stays shut when the kernel has no descriptor or memory for one more connection.
	crowded = 100 * time.Millisecond
	// maxTries bounds the engines that die at start with the same connections. Then their peers are told, by hanging up: some may
	// have left long ago, which does not show behind unread data, and would have engines started for nobody.
	maxTries = 5
)

// doorway holds connections that were accepted and have not sent a byte yet.
//
// The sockets defer accept until data is there, but the kernel gives that up after a while, and unix sockets have no such thing.
type doorway struct {
	silent  []int // or spoke to engines that died at start
	tries   int   // of those
	trouble error // of the last accept, so that it is logged once
}

// wait stands at the door while there is no engine, until somebody speaks, then starts one.
func (h *holder) wait() {
	h.polled = append(h.polled[:0], readable(h.signals.fd))
	if d := time.Until(h.notTill); d > 0 {
		// Backing off: connections queue in the kernel meanwhile.
		h.poll(d)
		h.signalled()
		return
	}
	for _, fd := range h.listeners {
		h.polled = append(h.polled, readable(fd))
	}
	for _, fd := range h.waiting.silent {
		h.polled = append(h.polled, readable(fd))
	}
	h.poll(-1)
	h.signalled()
	if h.done {
		return
	}
	doors := h.polled[1 : 1+len(h.listeners)]
	spoke := h.waiting.look(h.polled[1+len(doors):])
	for i := 0; i < len(doors) && !spoke && !h.done; i++ {
		spoke = doors[i].Revents != 0 && h.open(doors[i])
	}
	if spoke {
		conns := h.waiting.silent
		h.waiting.silent = nil
		h.start(conns)
	}
}

// open takes one connection and reports whether its peer has spoken already. One is enough: the engine takes the others.
func (h *holder) open(door unix.PollFd) bool {
	spoke, err := h.waiting.accept(int(door.Fd))
	switch {
	case door.Revents&(unix.POLLHUP|unix.POLLNVAL) != 0 || err == unix.EINVAL:
		// Copies of a socket are one socket: whoever has another can do this, and it cannot be undone.
		h.giveUp("a listening socket was shut down by another process that has it")
	case err == unix.EAGAIN || err == unix.ECONNABORTED || err == unix.EINTR:
		// Whoever knocked has left.
	case err != nil:
		h.notTill = time.Now().Add(crowded)
		if len(h.waiting.silent) > 0 {
			h.waiting.closeOldest()
		}
		if err != h.waiting.trouble {
			say("accept a connection: " + err.Error() + "; trying again every " + crowded.String())
		}
		h.waiting.trouble = err
	default:
		h.waiting.trouble = nil
	}
	return spoke
}

// look reports whether one of the silent connections has spoken, and forgets those that have left.
func (d *doorway) look(polled []unix.PollFd) bool {
	spoke := false
	kept := d.silent[:0]
	for i, fd := range d.silent {
		if polled[i].Revents == 0 {
			kept = append(kept, fd)
			continue
		}
		switch peek(fd) {
		case said:
			spoke = true
			kept = append(kept, fd)
		case left, nothingYet:
			// Readable with nothing to read is urgent data. No request begins with it, and it would wake us for ever.
			unix.Close(fd)
		}
	}
	d.silent = kept
	if len(kept) == 0 {
		d.tries = 0
	}
	return spoke
}

// accept takes one connection and reports whether its peer has spoken already.
func (d *doorway) accept(listener int) (bool, error) {
	fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	if err != nil {
		return false, err
	}
	state := peek(fd)
	if state == left {
		unix.Close(fd)
		return false, nil
	}
	if len(d.silent) == maxSilent {
		d.closeOldest()
	}
	d.silent = append(d.silent, fd)
	return state == said, nil
}

// takeBack takes connections whose engine did not come to serve them: they start the next one.
func (d *doorway) takeBack(conns []int) {
	if len(conns) == 0 {
		return
	}
	if d.tries++; d.tries < maxTries {
		d.silent = conns // none came meanwhile: the door is shut while there is an engine
		return
	}
	control.CloseAll(conns)
	d.tries = 0
}

func (d *doorway) closeOldest() {
	unix.Close(d.silent[0])
	d.silent = append(d.silent[:0], d.silent[1:]...)
}

type speech int

const (
	nothingYet speech = iota
	said
	left
)

// peek looks for a first byte without taking it.
func peek(fd int) speech {
	var b [1]byte
	for {
		n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nothingYet
		case err != nil || n == 0:
			return left
		}
		return said
	}
}

// readable asks poll(2) for input on fd.
func readable(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd), Events: unix.POLLIN} }
