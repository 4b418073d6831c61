package sockets

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

const (
	// maxReceive is how many datagrams are received, or dropped, at once.
	maxReceive = 64
	// maxReceiveBytes is after how many bytes no more datagrams are received at once.
	maxReceiveBytes = 256 << 10
	// maxSend is how many datagrams are permitted to be sent at once.
	maxSend = 64
)

// datagram is wasi:sockets/udp.incoming-datagram, and outgoing-datagram, where remote may be left out.
type datagram struct {
	data   []byte
	remote netip.AddrPort
}

// datagrams is what the two streams of a socket have in common.
type datagrams struct {
	s       *udpSocket
	d       *descriptor
	number  int
	dropped bool
}

// check returns an error when newer streams have taken over.
func (s *datagrams) check() error {
	if s.number != s.s.streams {
		return invalidState
	}
	return nil
}

func (s *datagrams) drop() {
	if !s.dropped {
		s.dropped = true
		s.d.release()
	}
}

// watched is what to wait for in one direction; nil: nothing.
func (s *datagrams) watched(i *interest) *interest {
	if s.dropped || s.check() != nil {
		return nil
	}
	return i
}

// incoming is the resource wasi:sockets/udp.incoming-datagram-stream.
type incoming struct{ datagrams }

// receive returns at most limit datagrams, without waiting, of those that the guest may see.
func (in *incoming) receive(limit uint64) ([]datagram, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	var received []datagram
	size := 0
	for range maxReceive {
		if uint64(len(received)) >= limit || size >= maxReceiveBytes {
			break
		}
		n, sa, err := unix.Recvfrom(in.d.fd, buf[:], 0)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return received, nil
		case err != nil && len(received) > 0:
			return received, nil
		case err != nil:
			return nil, err
		}
		if from := addrPort(sa); in.visible(from) {
			received = append(received, datagram{slices.Clone(buf[:n]), from})
			size += n
		}
	}
	return received, nil
}

// visible reports whether the guest may see what comes from an address: what came before the socket was connected may be from anywhere.
func (in *incoming) visible(from netip.AddrPort) bool {
	if in.s.remote.IsValid() {
		return from == in.s.remote
	}
	return in.d.guest.permitted("udp", from)
}

// Ready implements wasiio.Pollable.
func (in *incoming) Ready() bool {
	i := in.watched(&in.d.in)
	return i == nil || i.Ready()
}

// Watch implements wasiio.Pollable.
func (in *incoming) Watch(wake func()) (stop func()) {
	if i := in.watched(&in.d.in); i != nil {
		return i.Watch(wake)
	}
	return wasiio.AlwaysReady{}.Watch(wake)
}

// outgoing is the resource wasi:sockets/udp.outgoing-datagram-stream.
type outgoing struct {
	datagrams
	permit int
}

// checkSend returns how many datagrams may be sent.
func (out *outgoing) checkSend() (int, error) {
	if err := out.check(); err != nil {
		return 0, err
	}
	out.permit = 0
	if out.d.out.Ready() {
		out.permit = maxSend
	}
	return out.permit, nil
}

// send returns how many of the datagrams were sent; an error only when the first was not.
func (out *outgoing) send(all []datagram) (int, error) {
	if len(all) > out.permit {
		return 0, &abi.Trap{Reason: "send of more datagrams than check-send permitted"}
	}
	if err := out.check(); err != nil {
		return 0, err
	}
	for n := range all {
		err := out.sendOne(&all[n])
		if err == unix.EAGAIN || err != nil && n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		out.permit--
	}
	return len(all), nil
}

func (out *outgoing) sendOne(d *datagram) error {
	var to unix.Sockaddr
	if connected := out.s.remote; connected.IsValid() {
		if d.remote.IsValid() && d.remote != connected {
			return invalidArgument
		}
	} else {
		if !d.remote.IsValid() {
			return invalidArgument
		}
		if err := out.d.family.checkRemote(d.remote); err != nil {
			return err
		}
		if err := out.d.guest.allowed("udp", d.remote); err != nil {
			return err
		}
		to = sockaddr(d.remote)
	}
	for {
		if err := sendTo(out.d.fd, d.data, to); err != unix.EINTR {
			return err
		}
	}
}

// sendTo sends a datagram; to is nil for where the socket is connected to.
func sendTo(fd int, p []byte, to unix.Sockaddr) error {
	_, err := unix.SendmsgN(fd, p, nil, to, 0)
	return err
}

// Ready implements wasiio.Pollable.
func (out *outgoing) Ready() bool {
	i := out.watched(&out.d.out)
	return i == nil || i.Ready()
}

// Watch implements wasiio.Pollable.
func (out *outgoing) Watch(wake func()) (stop func()) {
	if i := out.watched(&out.d.out); i != nil {
		return i.Watch(wake)
	}
	return wasiio.AlwaysReady{}.Watch(wake)
}
