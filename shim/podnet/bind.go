//go:build linux

package podnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
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
	var f *os.File
	err := inNetwork(o.Pid, func() (err error) {
		f, err = bindTCP(a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &socket{address: a, file: f, owner: o, active: true}, nil
}

// inNetwork runs f in a process's network namespace, on a thread that comes back from it. One that cannot come back is not used again.
func inNetwork(pid int, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		home, err := openNetwork("thread-self")
		if err != nil {
			done <- err
			return
		}
		defer unix.Close(home)
		err = visitNetwork(pid, f)
		if unix.Setns(home, unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// visitNetwork moves the thread into the process's network namespace and runs f there.
func visitNetwork(pid int, f func() error) error {
	ns, err := openNetwork(strconv.Itoa(pid))
	if err != nil {
		return err
	}
	defer unix.Close(ns)
	if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the pod's network namespace: %w", err)
	}
	return f()
}

func openNetwork(process string) (int, error) {
	fd, err := unix.Open("/proc/"+process+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open the network namespace of %s: %w", process, err)
	}
	return fd, nil
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
