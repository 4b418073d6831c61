package sockets

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// udpState is where a UDP socket is.
type udpState int

const (
	udpUnbound udpState = iota
	udpBinding
	udpBound
)

// udpSocket is the resource wasi:sockets/udp.udp-socket.
type udpSocket struct {
	d       *descriptor
	state   udpState
	remote  netip.AddrPort // not valid: the socket talks to everybody
	streams int            // how often streams were made: only the latest are in use
	dropped bool
}

func newUDPSocket(g *Guest, f family) (*udpSocket, error) {
	d, err := g.openDescriptor(f, unix.SOCK_DGRAM)
	if err != nil {
		return nil, err
	}
	return &udpSocket{d: d}, nil
}

func (s *udpSocket) startBind(local netip.AddrPort) error {
	switch s.state {
	case udpBinding:
		return concurrencyConflict
	case udpBound:
		return invalidState
	}
	if err := s.d.family.checkLocal(local.Addr()); err != nil {
		return err
	}
	if err := s.d.bind(local); err != nil {
		return err
	}
	s.state = udpBinding
	return nil
}

func (s *udpSocket) finishBind() error {
	if s.state != udpBinding {
		return notInProgress
	}
	s.state = udpBound
	return nil
}

// stream connects the socket to remote, if that is valid, else to everybody. Streams that were made before are of no use any more.
func (s *udpSocket) stream(remote netip.AddrPort) (*incoming, *outgoing, error) {
	if s.state != udpBound {
		return nil, nil, invalidState
	}
	if remote.IsValid() {
		if err := s.d.family.checkRemote(remote); err != nil {
			return nil, nil, err
		}
		if err := s.d.guest.allowed("udp", remote); err != nil {
			return nil, nil, err
		}
	}
	if s.remote.IsValid() {
		if err := s.disconnect(); err != nil {
			return nil, nil, err
		}
	}
	if remote.IsValid() {
		if err := unix.Connect(s.d.fd, sockaddr(remote)); err != nil {
			return nil, nil, connectError(err)
		}
		s.remote = remote
	}
	s.streams++
	return &incoming{datagrams{s: s, d: s.d.retain(), number: s.streams}},
		&outgoing{datagrams: datagrams{s: s, d: s.d.retain(), number: s.streams}}, nil
}

// disconnect keeps the port, which the system gives up when it has picked it.
func (s *udpSocket) disconnect() error {
	local, err := s.d.local()
	if err != nil {
		return err
	}
	if err := disconnect(s.d.fd); err != nil {
		return err
	}
	s.remote = netip.AddrPort{}
	now, err := s.d.local()
	if err != nil || now.Port() != 0 {
		return err
	}
	return s.d.bind(netip.AddrPortFrom(now.Addr(), local.Port()))
}

func (s *udpSocket) localAddress() (netip.AddrPort, error) {
	switch s.state {
	case udpUnbound:
		return netip.AddrPort{}, invalidState
	case udpBinding:
		return netip.AddrPort{}, concurrencyConflict
	}
	return s.d.local()
}

func (s *udpSocket) remoteAddress() (netip.AddrPort, error) {
	if !s.remote.IsValid() {
		return netip.AddrPort{}, invalidState
	}
	return s.remote, nil
}

func (s *udpSocket) drop() {
	if !s.dropped {
		s.dropped = true
		s.d.release()
	}
}
