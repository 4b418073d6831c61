//go:build linux

package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// visitor is a connection that the holder has accepted.
type visitor struct {
	fd      int
	manner  manner
	seen    int  // bytes that were there when it was last looked at
	greeted bool // it was told HTTP/2's settings
	puzzled bool // there was news and nothing more to read
}

// manner is what there is to do about a visitor.
type manner int

const (
	// silent has not said anything, or a beginning that may become a probe.
	silent manner = iota
	// spoke wants something that takes an engine, and waits for it.
	spoke
	// answered was a probe. It is to hang up: who does that first keeps the socket a minute longer.
	answered
)

// idles reports whether nobody has to answer the visitor.
func (v *visitor) idles() bool { return v.manner == answered || v.manner == silent && v.seen == 0 }

// expect makes poll(2) tell when there are more bytes than n; TCP's sockets can do that.
func (v *visitor) expect(n int) {
	v.seen, v.puzzled = n, false
	_ = unix.SetsockoptInt(v.fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, n+1)
}

// compose makes the visitor as it came, for an engine.
func (v *visitor) compose() {
	if v.seen > 0 {
		v.expect(0)
	}
	v.manner = silent
}

// Package unix allocates for each address that these calls may return. A probe each second is a lot of calls.

// accept takes a connection.
func accept(listener int) (int, error) {
	fd, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// receive reads what is there, without taking it where flags has MSG_PEEK.
func receive(fd int, b []byte, flags int) (int, error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(flags|unix.MSG_DONTWAIT), 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// send writes what fits into the socket's buffer, which holds any answer of the holder's.
func send(fd int, b []byte) {
	for {
		_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}
