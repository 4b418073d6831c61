//go:build linux

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// maxSilent bounds the connections kept open that have not said anything; beyond it the oldest is closed.
const maxSilent = 64

// doorway holds connections that were accepted and have not sent a byte yet.
//
// The sockets defer accept until data is there, but the kernel gives that up after a while, and unix sockets have no such thing.
type doorway struct {
	silent []int
}

// wait stands at the door while there is no engine, until somebody speaks, then starts one.
func (h *holder) wait() {
	if d := time.Until(h.notTill); d > 0 {
		// Backing off: connections queue in the kernel meanwhile.
		h.polled = append(h.polled[:0], unix.PollFd{Fd: int32(h.signals.fd), Events: unix.POLLIN})
		if poll(h.polled, d) > 0 {
			h.signalled()
		}
		return
	}
	fds := append(h.polled[:0], unix.PollFd{Fd: int32(h.signals.fd), Events: unix.POLLIN})
	for _, fd := range h.listeners {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for _, fd := range h.waiting.silent {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	h.polled = fds
	poll(fds, -1)
	if fds[0].Revents != 0 {
		h.signalled()
		if h.done {
			return
		}
	}
	spoke := h.waiting.look(fds[1+len(h.listeners):])
	for _, p := range fds[1 : 1+len(h.listeners)] {
		if !spoke && p.Revents != 0 && h.waiting.accept(int(p.Fd)) {
			spoke = true
		}
	}
	if spoke {
		conns := h.waiting.silent
		h.waiting.silent = nil
		h.start(conns)
	}
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
		case nothingYet:
			kept = append(kept, fd)
		case left:
			unix.Close(fd)
		}
	}
	d.silent = kept
	return spoke
}

// accept takes one connection and reports whether its peer has spoken already. One is enough: the engine takes the others.
func (d *doorway) accept(listener int) bool {
	fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	if err != nil {
		return false
	}
	state := peek(fd)
	if state == left {
		unix.Close(fd)
		return false
	}
	if len(d.silent) == maxSilent {
		unix.Close(d.silent[0])
		d.silent = append(d.silent[:0], d.silent[1:]...)
	}
	d.silent = append(d.silent, fd)
	return state == said
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
	n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nothingYet
	case err != nil || n == 0:
		return left
	}
	return said
}
