package sockets

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

func boundUDP(t *testing.T, g *Guest, f family, addr netip.Addr) (*udpSocket, netip.AddrPort) {
	t.Helper()
	s, err := newUDPSocket(g, f)
	must(t, err)
	t.Cleanup(s.drop)
	must(t, s.startBind(port(addr, 0)))
	must(t, s.finishBind())
	local, err := s.localAddress()
	must(t, err)
	return s, local
}

func streams(t *testing.T, s *udpSocket, remote netip.AddrPort) (*incoming, *outgoing) {
	t.Helper()
	in, out, err := s.stream(remote)
	must(t, err)
	t.Cleanup(func() { in.drop(); out.drop() })
	return in, out
}

func sendAll(t *testing.T, out *outgoing, all ...datagram) {
	t.Helper()
	await(t, out)
	if n, err := out.checkSend(); n < len(all) || err != nil {
		t.Fatalf("check-send: %d, %v", n, err)
	}
	if n, err := out.send(all); n != len(all) || err != nil {
		t.Fatalf("sent %d of %d: %v", n, len(all), err)
	}
}

func receiveSome(t *testing.T, in *incoming, limit uint64) []datagram {
	t.Helper()
	for {
		await(t, in)
		got, err := in.receive(limit)
		must(t, err)
		if len(got) > 0 {
			return got
		}
	}
}

var everybody netip.AddrPort

func TestUDPStates(t *testing.T) {
	families(t, func(t *testing.T, f family, loopback netip.Addr) {
		g := newGuest(t, "")
		s, err := newUDPSocket(g, f)
		must(t, err)
		defer s.drop()
		want(t, "finish-bind", s.finishBind(), notInProgress)
		_, _, err = s.stream(everybody)
		want(t, "stream", err, invalidState)
		_, err = s.localAddress()
		want(t, "local-address", err, invalidState)
		must(t, s.startBind(port(loopback, 0)))
		want(t, "start-bind", s.startBind(port(loopback, 0)), concurrencyConflict)
		must(t, s.finishBind())
		want(t, "start-bind", s.startBind(port(loopback, 0)), invalidState)
		want(t, "finish-bind", s.finishBind(), notInProgress)
		_, err = s.remoteAddress()
		want(t, "remote-address", err, invalidState)

		for what, remote := range map[string]netip.AddrPort{
			"no address":       port(netip.IPv6Unspecified(), 1),
			"no port":          port(loopback, 0),
			"the other family": port(map[family]netip.Addr{ipv4: loopback6, ipv6: loopback4}[f], 1),
		} {
			_, _, err := s.stream(remote)
			want(t, what, err, invalidArgument)
		}
	})
}

func TestUDPDatagrams(t *testing.T) {
	families(t, func(t *testing.T, f family, loopback netip.Addr) {
		g := newGuest(t, "")
		t.Run("are sent and received, several at once", func(t *testing.T) {
			a, from := boundUDP(t, g, f, loopback)
			b, to := boundUDP(t, g, f, loopback)
			_, out := streams(t, a, to)
			in, _ := streams(t, b, everybody)
			if got, err := in.receive(9); len(got) != 0 || err != nil {
				t.Errorf("before anything was sent: %v, %v", got, err)
			}
			sendAll(t, out, datagram{data: []byte("1")}, datagram{data: []byte{}}, datagram{[]byte("3"), to})
			if got, err := in.receive(0); len(got) != 0 || err != nil {
				t.Errorf("received %v, %v, asked for none", got, err)
			}
			var got []datagram
			for len(got) < 3 {
				got = append(got, receiveSome(t, in, 2)...)
			}
			if string(got[0].data) != "1" || len(got[1].data) != 0 || string(got[2].data) != "3" || got[0].remote != from {
				t.Errorf("got %v", got)
			}
		})
		t.Run("of others are not seen by a socket that is connected, even if they came before", func(t *testing.T) {
			dest, to := boundUDP(t, g, f, loopback)
			a, _ := boundUDP(t, g, f, loopback)
			b, from := boundUDP(t, g, f, loopback)
			_, outA := streams(t, a, to)
			_, outB := streams(t, b, to)
			sendAll(t, outA, datagram{data: []byte("A")})
			sendAll(t, outB, datagram{data: []byte("B")})
			in, _ := streams(t, dest, from)
			if got := receiveSome(t, in, 9); len(got) != 1 || string(got[0].data) != "B" {
				t.Errorf("got %v", got)
			}
		})
		t.Run("to nobody are refused", func(t *testing.T) {
			a, _ := boundUDP(t, g, f, loopback)
			b, to := boundUDP(t, g, f, loopback)
			b.drop()
			in, out := streams(t, a, to)
			sendAll(t, out, datagram{data: []byte("hello")})
			await(t, in)
			_, err := in.receive(1)
			want(t, "receive", err, connectionRefused)
		})
		t.Run("that are too large are refused", func(t *testing.T) {
			a, _ := boundUDP(t, g, f, loopback)
			_, to := boundUDP(t, g, f, loopback)
			_, out := streams(t, a, to)
			_, err := out.checkSend()
			must(t, err)
			_, err = out.send([]datagram{{data: make([]byte, 1<<16)}})
			want(t, "send", err, datagramTooLarge)
		})
		t.Run("need the right address", func(t *testing.T) {
			a, _ := boundUDP(t, g, f, loopback)
			_, to := boundUDP(t, g, f, loopback)
			_, connected := streams(t, a, to)
			b, _ := boundUDP(t, g, f, loopback)
			_, free := streams(t, b, everybody)
			for what, c := range map[string]struct {
				out *outgoing
				to  netip.AddrPort
			}{
				"another than the one connected to": {connected, port(loopback, 1)},
				"none, without being connected":     {free, everybody},
				"one without a port":                {free, port(loopback, 0)},
			} {
				_, err := c.out.checkSend()
				must(t, err)
				_, err = c.out.send([]datagram{{[]byte("x"), c.to}})
				want(t, what, err, invalidArgument)
			}
		})
		t.Run("sent without permit trap", func(t *testing.T) {
			a, to := boundUDP(t, g, f, loopback)
			_, out := streams(t, a, to)
			var trap *abi.Trap
			if _, err := out.send(make([]datagram, 1)); !errors.As(err, &trap) {
				t.Errorf("got %v", err)
			}
			if n, err := out.send(nil); n != 0 || err != nil {
				t.Errorf("none: %d, %v", n, err)
			}
			n, err := out.checkSend()
			must(t, err)
			if _, err := out.send(make([]datagram, n+1)); !errors.As(err, &trap) {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestUDPReconnect(t *testing.T) {
	families(t, func(t *testing.T, f family, loopback netip.Addr) {
		g := newGuest(t, "")
		unspecified := map[family]netip.Addr{ipv4: netip.IPv4Unspecified(), ipv6: netip.IPv6Unspecified()}[f]
		s, first := boundUDP(t, g, f, unspecified)
		for _, remote := range []netip.AddrPort{everybody, port(loopback, 4321), port(loopback, 4321), port(loopback, 4320), everybody, port(loopback, 4321)} {
			in, out := streams(t, s, remote)
			got, err := s.remoteAddress()
			if remote.IsValid() != (err == nil) || got != remote {
				t.Errorf("remote-address: %v, %v; want %v", got, err, remote)
			}
			if local, err := s.localAddress(); err != nil || local.Port() != first.Port() {
				t.Errorf("local-address: %v, %v; it was %v", local, err, first)
			}
			defer func() {
				if s.streams == in.number {
					return
				}
				_, err := in.receive(1)
				want(t, "receive", err, invalidState)
				_, err = out.checkSend()
				want(t, "check-send", err, invalidState)
				if !in.Ready() || !out.Ready() {
					t.Error("streams that are of no use any more are not ready")
				}
			}()
		}
	})
}

func TestUDPUnderAPolicy(t *testing.T) {
	t.Run("what it does not allow is not sent", func(t *testing.T) {
		g := newGuest(t, "udp://127.0.0.1:53 tcp://*:*")
		s, _ := boundUDP(t, g, ipv4, netip.IPv4Unspecified())
		_, _, err := s.stream(port(loopback4, 54))
		want(t, "stream", err, accessDenied)
		_, out := streams(t, s, everybody)
		_, err = out.checkSend()
		must(t, err)
		_, err = out.send([]datagram{{[]byte("x"), port(netip.MustParseAddr("10.0.0.1"), 53)}})
		want(t, "send", err, accessDenied)
	})
	t.Run("what comes from elsewhere is not seen", func(t *testing.T) {
		g := newGuest(t, "")
		s, local := boundUDP(t, g, ipv4, netip.IPv4Unspecified())
		in, _ := streams(t, s, everybody)
		outside := outsideAddr(t)
		stranger, err := net.Dial("udp4", port(outside, local.Port()).String())
		must(t, err)
		defer stranger.Close()
		friend, err := net.Dial("udp4", port(loopback4, local.Port()).String())
		must(t, err)
		defer friend.Close()
		for _, c := range []net.Conn{stranger, friend} {
			_, err := c.Write([]byte("from " + c.LocalAddr().String()))
			must(t, err)
		}
		if got := receiveSome(t, in, 9); len(got) != 1 || string(got[0].data) != "from "+friend.LocalAddr().String() {
			t.Errorf("got %v", got)
		}
	})
	t.Run("binding to what is not the pod's own is not possible", func(t *testing.T) {
		s, err := newUDPSocket(newGuest(t, ""), ipv4)
		must(t, err)
		want(t, "start-bind", s.startBind(port(netip.MustParseAddr("192.0.2.1"), 0)), addressNotBindable)
	})
}
