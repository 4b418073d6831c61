package sockets

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	keepIdle     = unix.TCP_KEEPALIVE
	bufferFactor = 1
)

func newSocket(domain, kind int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(domain, kind, 0)
	if err != nil {
		return -1, err
	}
	return setUp(fd)
}

func acceptSocket(fd int) (int, unix.Sockaddr, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	accepted, sa, err := unix.Accept(fd)
	if err != nil {
		return -1, nil, err
	}
	accepted, err = setUp(accepted)
	return accepted, sa, err
}

func setUp(fd int) (int, error) {
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// disconnect lets a UDP socket talk to everybody again. The system says that it does not know the family, and does it.
func disconnect(fd int) error {
	unspecified := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, errno := syscall.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspecified)), unix.SizeofSockaddrInet4)
	if errno != 0 && errno != syscall.EAFNOSUPPORT {
		return errno
	}
	return nil
}
