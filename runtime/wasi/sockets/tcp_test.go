package sockets

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func newTCP(t *testing.T, g *Guest, f family) *tcpSocket {
	t.Helper()
	s, err := newTCPSocket(g, f)
	must(t, err)
	t.Cleanup(s.drop)
	return s
}

func bound(t *testing.T, g *Guest, f family, addr netip.Addr) *tcpSocket {
	t.Helper()
	s := newTCP(t, g, f)
	must(t, s.startBind(port(addr, 0)))
	must(t, s.finishBind())
	return s
}

func listening(t *testing.T, g *Guest, f family, addr netip.Addr) *tcpSocket {
	t.Helper()
	s := bound(t, g, f, addr)
	must(t, s.startListen())
	must(t, s.finishListen())
	return s
}

func localPort(t *testing.T, s *tcpSocket) uint16 {
	t.Helper()
	ap, err := s.localAddress()
	must(t, err)
	return ap.Port()
}

func connect(t *testing.T, s *tcpSocket, to netip.AddrPort) (*tcpInput, *tcpOutput) {
	t.Helper()
	must(t, s.startConnect(to))
	await(t, s)
	in, out, err := s.finishConnect()
	must(t, err)
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	return in, out
}

func accept(t *testing.T, l *tcpSocket) *tcpSocket {
	t.Helper()
	for {
		await(t, l)
		s, err := l.accept()
		if err == unix.EAGAIN {
			continue
		}
		must(t, err)
		t.Cleanup(func() { _, _ = s.input.Close(), s.output.Close(); s.drop() })
		return s
	}
}

// pair returns both ends of a connection.
func pair(t *testing.T, g *Guest, f family, loopback netip.Addr) (client, server *tcpSocket) {
	t.Helper()
	l := listening(t, g, f, loopback)
	client = newTCP(t, g, f)
	connect(t, client, port(loopback, localPort(t, l)))
	return client, accept(t, l)
}

func readToEnd(t *testing.T, in *tcpInput) []byte {
	t.Helper()
	var all []byte
	for {
		await(t, in)
		b, err := in.Read(1 << 20)
		if err == io.EOF {
			return all
		}
		must(t, err)
		all = append(all, b...)
	}
}

func TestTCPStates(t *testing.T) {
	families(t, func(t *testing.T, f family, loopback netip.Addr) {
		g := newGuest(t, "")
		local := port(loopback, 0)
		notStarted := func(t *testing.T, s *tcpSocket) {
			t.Helper()
			want(t, "finish-bind", s.finishBind(), notInProgress)
			want(t, "finish-listen", s.finishListen(), notInProgress)
			_, _, err := s.finishConnect()
			want(t, "finish-connect", err, notInProgress)
		}
		unconnected := func(t *testing.T, s *tcpSocket) {
			t.Helper()
			_, err := s.remoteAddress()
			want(t, "remote-address", err, invalidState)
			want(t, "shutdown", s.shutdown(shutdownBoth), invalidState)
		}
		t.Run("unbound", func(t *testing.T) {
			s := newTCP(t, g, f)
			notStarted(t, s)
			unconnected(t, s)
			want(t, "start-listen", s.startListen(), invalidState)
			_, err := s.accept()
			want(t, "accept", err, invalidState)
			_, err = s.localAddress()
			want(t, "local-address", err, invalidState)
			must(t, s.setBacklog(32))
			if !s.Ready() {
				t.Error("not ready")
			}
		})
		t.Run("binding", func(t *testing.T) {
			s := newTCP(t, g, f)
			must(t, s.startBind(local))
			want(t, "start-bind", s.startBind(local), concurrencyConflict)
			want(t, "start-connect", s.startConnect(port(loopback, 1)), concurrencyConflict)
			_, err := s.localAddress()
			want(t, "local-address", err, concurrencyConflict)
			must(t, s.finishBind())
		})
		t.Run("bound", func(t *testing.T) {
			s := bound(t, g, f, loopback)
			notStarted(t, s)
			unconnected(t, s)
			want(t, "start-bind", s.startBind(local), invalidState)
			_, err := s.accept()
			want(t, "accept", err, invalidState)
			if ap, err := s.localAddress(); err != nil || ap.Addr() != loopback || ap.Port() == 0 {
				t.Errorf("local-address: %v, %v", ap, err)
			}
		})
		t.Run("listening", func(t *testing.T) {
			s := listening(t, g, f, loopback)
			notStarted(t, s)
			unconnected(t, s)
			want(t, "start-bind", s.startBind(local), invalidState)
			want(t, "start-listen", s.startListen(), invalidState)
			want(t, "start-connect", s.startConnect(port(loopback, 1)), invalidState)
			_, err := s.accept()
			want(t, "accept", err, wouldBlock)
			must(t, s.setBacklog(1<<60))
			if s.Ready() {
				t.Error("ready before anybody has connected")
			}
		})
		t.Run("connected", func(t *testing.T) {
			client, server := pair(t, g, f, loopback)
			notStarted(t, client)
			want(t, "start-bind", client.startBind(local), invalidState)
			want(t, "start-listen", client.startListen(), invalidState)
			want(t, "start-connect", client.startConnect(port(loopback, 1)), invalidState)
			want(t, "set-listen-backlog-size", client.setBacklog(1), invalidState)
			if ap, err := client.remoteAddress(); err != nil || ap.Addr() != loopback {
				t.Errorf("remote-address: %v, %v", ap, err)
			}
			if ap, err := server.remoteAddress(); err != nil || ap.Port() != localPort(t, client) {
				t.Errorf("the server's remote-address: %v, %v", ap, err)
			}
		})
		t.Run("refused", func(t *testing.T) {
			unused := localPort(t, bound(t, g, f, loopback))
			s := newTCP(t, g, f)
			err := s.startConnect(port(loopback, unused))
			if err == nil {
				await(t, s)
				_, _, err = s.finishConnect()
			}
			want(t, "finish-connect", err, connectionRefused)
			want(t, "start-connect", s.startConnect(port(loopback, unused)), invalidState)
			_, err = s.localAddress()
			want(t, "local-address", err, invalidState)
		})
	})
}

func TestTCPAddresses(t *testing.T) {
	g := newGuest(t, "*://*:*")
	mapped := netip.MustParseAddr("::ffff:127.0.0.1")
	for _, c := range []struct {
		what string
		f    family
		addr netip.Addr
		want code
	}{
		{"the other family", ipv4, loopback6, invalidArgument},
		{"the other family", ipv6, loopback4, invalidArgument},
		{"IPv4 in the form of IPv6", ipv6, mapped, invalidArgument},
		{"a group", ipv4, netip.MustParseAddr("224.0.0.1"), invalidArgument},
		{"a group of IPv6", ipv6, netip.MustParseAddr("ff00::"), invalidArgument},
		{"everybody", ipv4, broadcast, invalidArgument},
	} {
		t.Run("bind and connect to "+c.what, func(t *testing.T) {
			want(t, "start-bind", newTCP(t, g, c.f).startBind(port(c.addr, 0)), c.want)
			want(t, "start-connect", newTCP(t, g, c.f).startConnect(port(c.addr, 1)), c.want)
		})
	}
	t.Run("connect to no address, or no port", func(t *testing.T) {
		want(t, "no address", newTCP(t, g, ipv4).startConnect(port(netip.IPv4Unspecified(), 1)), invalidArgument)
		want(t, "no port", newTCP(t, g, ipv4).startConnect(port(loopback4, 0)), invalidArgument)
	})
	t.Run("bind to an address that is not the pod's own", func(t *testing.T) {
		want(t, "start-bind", newTCP(t, g, ipv4).startBind(port(netip.MustParseAddr("192.0.2.1"), 0)), addressNotBindable)
	})
	t.Run("bind to an address that is in use", func(t *testing.T) {
		l := listening(t, g, ipv4, loopback4)
		want(t, "start-bind", newTCP(t, g, ipv4).startBind(port(loopback4, localPort(t, l))), addressInUse)
	})
}

func TestTCPUnderAPolicy(t *testing.T) {
	t.Run("connections that it does not allow are refused before they are made", func(t *testing.T) {
		g := newGuest(t, "tcp://10.0.0.0/8:5432 https://127.0.0.1:*")
		s := newTCP(t, g, ipv4)
		want(t, "start-connect", s.startConnect(port(loopback4, 80)), accessDenied)
		want(t, "start-connect", s.startConnect(port(netip.MustParseAddr("10.0.0.1"), 80)), accessDenied)
	})
	t.Run("an address that was looked up by an allowed name is allowed", func(t *testing.T) {
		g := newGuest(t, "tcp://db.example:5432")
		addr := netip.MustParseAddr("192.0.2.7")
		if g.permitted("tcp", port(addr, 5432)) {
			t.Error("allowed before it was looked up")
		}
		g.remember(addr, "db.example")
		g.remember(loopback4, "db.example")
		for to, want := range map[netip.AddrPort]bool{port(addr, 5432): true, port(addr, 80): false, port(loopback4, 5432): false} {
			if got := g.permitted("tcp", to); got != want {
				t.Errorf("%s: %v", to, got)
			}
		}
		if g.permitted("udp", port(addr, 5432)) {
			t.Error("allowed for another scheme")
		}
	})
	t.Run("a listener on no address in particular shows the guest its own pod's connections only", func(t *testing.T) {
		outside := outsideAddr(t)
		g := newGuest(t, "")
		l := listening(t, g, ipv4, netip.IPv4Unspecified())
		p := localPort(t, l)
		stranger, err := net.Dial("tcp4", port(outside, p).String())
		must(t, err)
		defer stranger.Close()
		await(t, l)
		_, err = l.accept()
		want(t, "accept", err, wouldBlock)
		if _, err := stranger.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is open still")
		}
		connect(t, newTCP(t, g, ipv4), port(loopback4, p))
		accept(t, l)
	})
}

// outsideAddr returns an address of this machine that is not its loopback.
func outsideAddr(t *testing.T) netip.Addr {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			return p.Addr()
		}
	}
	t.Skip("this machine has no other address")
	return netip.Addr{}
}

func TestTCPStreams(t *testing.T) {
	families(t, func(t *testing.T, f family, loopback netip.Addr) {
		g := newGuest(t, "")
		t.Run("carry bytes both ways", func(t *testing.T) {
			client, server := pair(t, g, f, loopback)
			for _, c := range []struct {
				from *tcpSocket
				to   *tcpSocket
			}{{client, server}, {server, client}} {
				if b, err := c.to.input.Read(9); b != nil || err != nil {
					t.Errorf("before anything was sent: %q, %v", b, err)
				}
				must(t, c.from.output.Write([]byte("hello")))
				await(t, c.to.input)
				if b, err := c.to.input.Read(4); string(b) != "hell" || err != nil {
					t.Errorf("got %q, %v", b, err)
				}
				if b, err := c.to.input.Read(9); string(b) != "o" || err != nil {
					t.Errorf("got %q, %v", b, err)
				}
			}
		})
		t.Run("more than the system takes is taken, and sent in the background", func(t *testing.T) {
			l, err := net.Listen("tcp", port(loopback, 0).String())
			must(t, err)
			defer l.Close()
			client := newTCP(t, g, f)
			_, out := connect(t, client, l.Addr().(*net.TCPAddr).AddrPort())
			conn, err := l.Accept()
			must(t, err)
			defer conn.Close()
			// Nobody reads yet, and no buffers of the system's are that large.
			sent := bytes.Repeat([]byte("mayfly"), 4<<20)
			must(t, out.Write(sent))
			if n, err := out.CheckWrite(); n != 0 || err != nil || out.Ready() {
				t.Errorf("check-write: %d, %v", n, err)
			}
			got := make(chan []byte)
			go func() {
				b, _ := io.ReadAll(conn)
				got <- b
			}()
			for i := range 50 {
				await(t, out)
				n, err := out.CheckWrite()
				must(t, err)
				if n == 0 {
					t.Fatal("ready, and nothing may be written")
				}
				// In two parts, as a guest may: the first may be on its way still.
				p := bytes.Repeat([]byte{byte(i)}, n)
				must(t, out.Write(p[:n/2]))
				must(t, out.Write(p[n/2:]))
				sent = append(sent, p...)
			}
			must(t, client.shutdown(shutdownSend))
			if b := <-got; !bytes.Equal(b, sent) {
				t.Errorf("got %d bytes, want %d", len(b), len(sent))
			}
		})
		t.Run("shutdown does not lose what was written", func(t *testing.T) {
			client, server := pair(t, g, f, loopback)
			must(t, client.d.setNumber(sendBuffer, 1, maxBuffer))
			sent := make([]byte, bufferSize)
			must(t, client.output.Write(sent))
			must(t, client.shutdown(shutdownSend))
			if got := readToEnd(t, server.input); len(got) != len(sent) {
				t.Errorf("got %d bytes of %d", len(got), len(sent))
			}
		})
		t.Run("nor does the guest's end, if it is read soon", func(t *testing.T) {
			g := newGuest(t, "")
			l, err := net.Listen("tcp", port(loopback, 0).String())
			must(t, err)
			defer l.Close()
			s, err := newTCPSocket(g, f)
			must(t, err)
			must(t, s.startConnect(l.Addr().(*net.TCPAddr).AddrPort()))
			conn, err := l.Accept()
			must(t, err)
			defer conn.Close()
			await(t, s)
			in, out, err := s.finishConnect()
			must(t, err)
			must(t, s.d.setNumber(sendBuffer, 1, maxBuffer))
			must(t, out.Write(make([]byte, bufferSize)))
			_, _ = in.Close(), out.Close()
			s.drop()
			got := make(chan int)
			go func() {
				b, _ := io.ReadAll(conn)
				got <- len(b)
			}()
			g.Close()
			if n := <-got; n != bufferSize {
				t.Errorf("%d bytes arrived of %d", n, bufferSize)
			}
		})
		t.Run("a peer that has shut down is the end of input", func(t *testing.T) {
			client, server := pair(t, g, f, loopback)
			must(t, server.shutdown(shutdownBoth))
			await(t, client.input)
			if _, err := client.input.Read(10); err != io.EOF {
				t.Errorf("got %v", err)
			}
		})
		t.Run("shutting down input ends it, whatever has come", func(t *testing.T) {
			client, server := pair(t, g, f, loopback)
			must(t, server.output.Write([]byte("hello")))
			await(t, client.input)
			must(t, client.shutdown(shutdownReceive))
			if _, err := client.input.Read(10); err != io.EOF || !client.input.Ready() {
				t.Errorf("got %v", err)
			}
			must(t, client.shutdown(shutdownReceive))
		})
		t.Run("shutting down output closes it", func(t *testing.T) {
			client, _ := pair(t, g, f, loopback)
			must(t, client.shutdown(shutdownSend))
			_, err := client.output.CheckWrite()
			if err != wasiio.ErrClosed || client.output.Write([]byte("x")) != wasiio.ErrClosed || client.output.Flush() != wasiio.ErrClosed {
				t.Errorf("got %v", err)
			}
			await(t, client.output)
		})
		t.Run("a reset is told with its code", func(t *testing.T) {
			client, server := pair(t, g, f, loopback)
			must(t, unix.SetsockoptLinger(server.d.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
			server.d.close()
			await(t, client.input)
			_, err := client.input.Read(1)
			want(t, "read", err, connectionReset)
		})
		t.Run("outlive their socket", func(t *testing.T) {
			client, server := pair(t, g, f, loopback)
			client.drop()
			client.drop()
			must(t, client.output.Write([]byte("hello")))
			await(t, server.input)
			if b, err := server.input.Read(9); string(b) != "hello" || err != nil {
				t.Errorf("got %q, %v", b, err)
			}
			if !client.Ready() {
				t.Error("the socket's pollable is not ready")
			}
		})
	})
}

func TestTCPWaitingLeavesNothingBehind(t *testing.T) {
	g := newGuest(t, "")
	l := listening(t, g, ipv4, loopback4)
	for range 3 {
		a := l.Watch(func() {})
		b := l.Watch(func() {})
		a()
		if l.d.in.waiting == nil {
			t.Error("the second watch does not wait")
		}
		b()
		b()
		if l.d.in.waiting != nil || l.d.in.watchers != 0 {
			t.Error("a goroutine was left behind")
		}
	}
	// After all that it still works.
	connect(t, newTCP(t, g, ipv4), port(loopback4, localPort(t, l)))
	accept(t, l)
}

func TestTCPOptions(t *testing.T) {
	families(t, func(t *testing.T, f family, _ netip.Addr) {
		d := newTCP(t, newGuest(t, ""), f).d
		for what, o := range map[string]option{"idle": keepAliveIdle, "interval": keepAliveInterval} {
			want(t, what, d.setSeconds(o, 0), invalidArgument)
			for set, get := range map[uint64]uint64{1: 1e9, 1e9: 1e9, 42e9: 42e9, 1<<64 - 1: uint64(maxKeepAliveTime)} {
				must(t, d.setSeconds(o, set))
				if n, err := d.seconds(o); n != get || err != nil {
					t.Errorf("%s of %d: %d, %v", what, set, n, err)
				}
			}
		}
		want(t, "count", d.setNumber(keepAliveCount, 0, maxKeepAliveCount), invalidArgument)
		must(t, d.setNumber(keepAliveCount, 1<<32-1, maxKeepAliveCount))
		want(t, "hop-limit", d.setHopLimit(0), invalidArgument)
		for _, n := range []uint8{1, 42, 255} {
			must(t, d.setHopLimit(n))
			if v, err := d.hopLimit(); v.U8() != n || err != nil {
				t.Errorf("hop-limit: %d, %v", v.U8(), err)
			}
		}
		for what, o := range map[string]option{"receive buffer": receiveBuffer, "send buffer": sendBuffer} {
			want(t, what, d.setNumber(o, 0, maxBuffer), invalidArgument)
			must(t, d.setNumber(o, 1, maxBuffer))
			must(t, d.setNumber(o, 1<<64-1, maxBuffer))
			must(t, d.setNumber(o, 1<<16, maxBuffer))
			if n, err := d.buffer(o); n != 1<<16 || err != nil {
				t.Errorf("%s: %d, %v", what, n, err)
			}
		}
	})
}

func TestSocketsAreBounded(t *testing.T) {
	g := newGuest(t, "")
	var err error
	for range maxOpen + 1 {
		_, err = newTCPSocket(g, ipv4)
	}
	want(t, "create-tcp-socket", err, newSocketLimit)
	l := 0
	g.mu.Lock()
	l = len(g.open)
	g.mu.Unlock()
	if l != maxOpen {
		t.Errorf("%d are open", l)
	}
}

func TestTheGuestsEndDoesNotWaitForAPeerForever(t *testing.T) {
	g := newGuest(t, "")
	client, _ := pair(t, g, ipv4, loopback4)
	must(t, client.d.setNumber(sendBuffer, 1, maxBuffer))
	must(t, client.output.Write(make([]byte, 64<<20)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Close()
	}()
	select {
	case <-done:
	case <-time.After(20 * linger):
		t.Error("it does")
	}
	if err := client.output.ended(); err == nil || errors.Is(err, wasiio.ErrClosed) {
		t.Errorf("what was not sent is not told: %v", err)
	}
}

func TestAllGuestsTogetherLeaveDescriptorsToOthers(t *testing.T) {
	before := allOpen.Load()
	allOpen.Store(maxAllOpen)
	g := NewGuest(nil)
	defer g.Close()
	_, err := newTCPSocket(g, ipv4)
	want(t, "create-tcp-socket", err, newSocketLimit)
	allOpen.Store(before)
	s, err := newTCPSocket(g, ipv4)
	if err != nil {
		t.Fatal(err)
	}
	s.drop()
	if n := allOpen.Load(); n != before {
		t.Errorf("%d sockets are counted, of %d", n, before)
	}
}
