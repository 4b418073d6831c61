package sockets

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// tcpState is where a TCP socket is, as wasi:sockets/tcp.tcp-socket names it.
type tcpState int

const (
	tcpUnbound tcpState = iota
	tcpBinding
	tcpBound
	tcpStartingToListen
	tcpListening
	tcpConnecting
	tcpConnected
	tcpClosed
)

const (
	defaultBacklog = 128
	maxBacklog     = 4096
	// maxUnseen is how many connections that the guest may not see are closed at once, before it is asked again.
	maxUnseen = 64
)

// tcpSocket is the resource wasi:sockets/tcp.tcp-socket.
type tcpSocket struct {
	d       *descriptor
	state   tcpState
	backlog int
	remote  netip.AddrPort
	input   *tcpInput  // nil until it is connected
	output  *tcpOutput // likewise
	dropped bool
}

func newTCPSocket(g *Guest, f family) (*tcpSocket, error) {
	d, err := g.openDescriptor(f, unix.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	return &tcpSocket{d: d, backlog: defaultBacklog}, nil
}

// in returns the error of a function that is for other states.
func (s *tcpSocket) in() error {
	switch s.state {
	case tcpBinding, tcpStartingToListen, tcpConnecting:
		return concurrencyConflict
	}
	return invalidState
}

func (s *tcpSocket) startBind(local netip.AddrPort) error {
	if s.state != tcpUnbound {
		return s.in()
	}
	if err := s.d.family.checkLocal(local.Addr()); err != nil {
		return err
	}
	// A port whose last connections are still in TIME_WAIT can be bound to.
	if err := s.d.setOption(option{unix.SOL_SOCKET, unix.SO_REUSEADDR}, 1); err != nil {
		return err
	}
	if err := s.d.bind(local); err != nil {
		return err
	}
	s.state = tcpBinding
	return nil
}

func (s *tcpSocket) finishBind() error { return s.finish(tcpBinding, tcpBound) }

func (s *tcpSocket) finish(from, to tcpState) error {
	if s.state != from {
		return notInProgress
	}
	s.state = to
	return nil
}

func (s *tcpSocket) startConnect(remote netip.AddrPort) error {
	if s.state != tcpUnbound && s.state != tcpBound {
		return s.in()
	}
	if err := s.d.family.checkRemote(remote); err != nil {
		return err
	}
	if err := s.d.guest.allowed("tcp", remote); err != nil {
		return err
	}
	switch err := unix.Connect(s.d.fd, sockaddr(remote)); err {
	case nil, unix.EINPROGRESS, unix.EINTR:
		s.state, s.remote = tcpConnecting, remote
		return nil
	default:
		s.state = tcpClosed
		return connectError(err)
	}
}

// connectError tells apart what connect says of the local end, which it binds.
func connectError(err error) error {
	if err == unix.EADDRNOTAVAIL {
		return addressInUse
	}
	return err
}

func (s *tcpSocket) finishConnect() (*tcpInput, *tcpOutput, error) {
	if s.state != tcpConnecting {
		return nil, nil, notInProgress
	}
	if !s.d.out.Ready() {
		return nil, nil, wouldBlock
	}
	errno, err := s.d.option(option{unix.SOL_SOCKET, unix.SO_ERROR})
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err != nil {
		s.state = tcpClosed
		return nil, nil, connectError(err)
	}
	s.connected()
	return s.input, s.output, nil
}

func (s *tcpSocket) connected() {
	s.state = tcpConnected
	s.input = &tcpInput{d: s.d.retain()}
	s.output = newTCPOutput(s.d.retain())
}

func (s *tcpSocket) startListen() error {
	if s.state != tcpBound {
		return s.in()
	}
	if err := unix.Listen(s.d.fd, s.backlog); err != nil {
		return err
	}
	s.state = tcpStartingToListen
	return nil
}

func (s *tcpSocket) finishListen() error { return s.finish(tcpStartingToListen, tcpListening) }

func (s *tcpSocket) accept() (*tcpSocket, error) {
	if s.state != tcpListening {
		return nil, s.in()
	}
	if s.d.guest.full() {
		return nil, newSocketLimit
	}
	for range maxUnseen {
		fd, sa, err := acceptSocket(s.d.fd)
		switch err {
		case nil:
		case unix.EINTR:
			continue
		case unix.EAGAIN, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			return nil, err
		default:
			// Linux tells here what happened to the connection, not to the listener.
			return nil, connectionAborted
		}
		d, err := s.d.guest.adopt(s.d.family, fd)
		if err != nil {
			return nil, err
		}
		accepted := &tcpSocket{d: d, remote: addrPort(sa)}
		// A listener on no address in particular is reached from outside of the pod too.
		if local, err := d.local(); err != nil || !local.Addr().IsLoopback() {
			accepted.drop()
			continue
		}
		accepted.connected()
		return accepted, nil
	}
	return nil, wouldBlock
}

func (s *tcpSocket) localAddress() (netip.AddrPort, error) {
	switch s.state {
	case tcpUnbound, tcpClosed:
		return netip.AddrPort{}, invalidState
	case tcpBinding:
		return netip.AddrPort{}, concurrencyConflict
	}
	return s.d.local()
}

func (s *tcpSocket) remoteAddress() (netip.AddrPort, error) {
	if s.state != tcpConnected {
		return netip.AddrPort{}, s.in()
	}
	return s.remote, nil
}

func (s *tcpSocket) setBacklog(n uint64) error {
	switch {
	case n == 0:
		return invalidArgument
	case s.state == tcpConnecting || s.state == tcpConnected || s.state == tcpClosed:
		return invalidState
	}
	s.backlog = int(min(n, maxBacklog))
	if s.state == tcpListening || s.state == tcpStartingToListen {
		return unix.Listen(s.d.fd, s.backlog)
	}
	return nil
}

// The cases of wasi:sockets/tcp.shutdown-type.
const (
	shutdownReceive = iota
	shutdownSend
	shutdownBoth
)

func (s *tcpSocket) shutdown(how int) error {
	if s.state != tcpConnected {
		return s.in()
	}
	if how == shutdownReceive || how == shutdownBoth {
		s.input.shutdown()
	}
	if how == shutdownSend || how == shutdownBoth {
		s.output.shutdown()
	}
	return nil
}

func (s *tcpSocket) drop() {
	if !s.dropped {
		s.dropped = true
		s.d.release()
	}
}

var _ wasiio.Pollable = (*tcpSocket)(nil)

// Ready implements wasiio.Pollable: the operation in progress, if there is one, can be finished.
func (s *tcpSocket) Ready() bool {
	i := s.interest()
	return i == nil || i.Ready()
}

// Watch implements wasiio.Pollable.
func (s *tcpSocket) Watch(wake func()) (stop func()) {
	if i := s.interest(); i != nil {
		return i.Watch(wake)
	}
	return wasiio.AlwaysReady{}.Watch(wake)
}

func (s *tcpSocket) interest() *interest {
	switch {
	case s.dropped:
		return nil
	case s.state == tcpConnecting:
		return &s.d.out
	case s.state == tcpListening:
		return &s.d.in
	}
	return nil
}
