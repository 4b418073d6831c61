package sockets

import (
	"math"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// descriptor is a socket of the system, which does not block, with all that use it: the guest's socket and the streams made of it, which
// may outlive that.
type descriptor struct {
	guest  *Guest
	family family
	fd     int
	file   *os.File // of fd: the way to Go's poller
	raw    syscall.RawConn
	in     interest
	out    interest

	references int // guarded by guest.mu
}

// allOpen counts the sockets of all guests of this process. They must leave descriptors for the connections that guests are for.
var allOpen atomic.Int64

// maxAllOpen is how many sockets all guests together may have open: an eighth of the descriptors that the process may.
var maxAllOpen = func() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 128
	}
	return int64(min(limit.Cur, math.MaxInt64) / 8)
}()

// openDescriptor makes a socket.
func (g *Guest) openDescriptor(f family, kind int) (*descriptor, error) {
	if g.full() {
		return nil, newSocketLimit
	}
	fd, err := newSocket(f.domain(), kind)
	if err != nil {
		return nil, err
	}
	if f == ipv6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			_ = unix.Close(fd)
			return nil, err
		}
	}
	return g.adopt(f, fd)
}

func (g *Guest) full() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open) >= maxOpen || allOpen.Load() >= maxAllOpen
}

// adopt makes a descriptor of fd, which it owns from then on, with one reference.
func (g *Guest) adopt(f family, fd int) (*descriptor, error) {
	d := &descriptor{guest: g, family: f, fd: fd, file: os.NewFile(uintptr(fd), "socket"), references: 1}
	raw, err := d.file.SyscallConn()
	if err != nil {
		_ = d.file.Close()
		return nil, err
	}
	d.raw = raw
	d.in = interest{d: d, events: unix.POLLIN}
	d.out = interest{d: d, events: unix.POLLOUT, write: true}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[*descriptor]struct{}{}
	}
	g.open[d] = struct{}{}
	allOpen.Add(1)
	return d, nil
}

func (d *descriptor) retain() *descriptor {
	d.guest.mu.Lock()
	defer d.guest.mu.Unlock()
	d.references++
	return d
}

func (d *descriptor) release() {
	d.guest.mu.Lock()
	d.references--
	last := d.references == 0
	d.guest.mu.Unlock()
	if last {
		d.close()
	}
}

// close closes the socket, whoever uses it. It may be called more than once.
func (d *descriptor) close() {
	d.guest.mu.Lock()
	_, open := d.guest.open[d]
	delete(d.guest.open, d)
	d.guest.mu.Unlock()
	if open {
		allOpen.Add(-1)
		_ = d.file.Close()
	}
}

// expire ends at a time what goroutines still wait for.
func (d *descriptor) expire(at time.Time) { _ = d.file.SetDeadline(at) }

// local returns the address that the socket is bound to.
func (d *descriptor) local() (netip.AddrPort, error) {
	sa, err := unix.Getsockname(d.fd)
	return addrPort(sa), err
}

func (d *descriptor) bind(ap netip.AddrPort) error { return unix.Bind(d.fd, sockaddr(ap)) }

// poll reports whether one of the events, or an error, is there.
func poll(fd int, events int16) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(fds, 0)
		if err != unix.EINTR {
			return n > 0 || err != nil
		}
	}
}
