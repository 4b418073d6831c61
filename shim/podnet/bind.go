//go:build linux

package podnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
)

const (
	// backlog is how many connections may wait while there is no engine; the kernel's somaxconn caps it.
	backlog = 4096
	// deferAccept is how long the kernel keeps a silent connection from us, in seconds.
	deferAccept = 30
	// namedAddresses bounds how many of the pod's addresses an error lists.
	namedAddresses = 8
)

// bind opens a listening socket where the owner's container is.
func bind(o Owner, a config.Address) (*socket, error) {
	if a.Network == "unix" {
		return bindUnix(o, a)
	}
	s := &socket{}
	return s, onOwnThread(func() (err error) {
		if err := enterNetwork(o.Process); err != nil {
			return err
		}
		s.file, err = bindTCP(a)
		return err
	})
}

func bindTCP(a config.Address) (*os.File, error) {
	family, address, err := socketAddress(a)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		return nil, fmt.Errorf("%w: it has no %s", ErrNoAddress, a.Network)
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), a.String())
	if err := listen(fd, family, address); err != nil {
		f.Close()
		if errors.Is(err, unix.EADDRNOTAVAIL) {
			return nil, fmt.Errorf("%w; it has %s", ErrNoAddress, podAddresses())
		}
		return nil, err
	}
	return f, nil
}

func listen(fd, family int, address unix.Sockaddr) error {
	// A port whose last connections are still in TIME_WAIT is free for us.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	// A peer that connects and says nothing is nobody's business until it speaks.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, deferAccept); err != nil {
		return err
	}
	if err := unix.Bind(fd, address); err != nil {
		return err
	}
	return unix.Listen(fd, backlog)
}

func socketAddress(a config.Address) (int, unix.Sockaddr, error) {
	ip, err := netip.ParseAddr(a.Host)
	if err != nil {
		return 0, nil, err
	}
	if ip.Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: ip.As4()}, nil
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: ip.As16()}, nil
}

// podAddresses lists the addresses of the network namespace the thread is in.
func podAddresses() string {
	all, err := net.InterfaceAddrs()
	if err != nil || len(all) == 0 {
		return "none"
	}
	var names []string
	for _, a := range all[:min(len(all), namedAddresses)] {
		if n, ok := a.(*net.IPNet); ok {
			names = append(names, n.IP.String())
		}
	}
	return strings.Join(names, ", ") + "; localhost:PORT and :PORT always work"
}
