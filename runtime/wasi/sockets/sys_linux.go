package sockets

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	keepIdle = unix.TCP_KEEPIDLE
	// bufferFactor is by what the system multiplies the sizes of buffers, for its own needs.
	bufferFactor = 2
)

func newSocket(domain, kind int) (int, error) {
	return unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

func acceptSocket(fd int) (int, unix.Sockaddr, error) {
	return unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
}

// disconnect lets a UDP socket talk to everybody again.
func disconnect(fd int) error {
	unspecified := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspecified)), unix.SizeofSockaddrInet4); errno != 0 {
		return errno
	}
	return nil
}
