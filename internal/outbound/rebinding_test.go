package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// liar is a name server that answers each question for an IPv4 address with the next of a list, and has no others.
type liar struct {
	conn  net.PacketConn
	addrs []string
	asked atomic.Int32
}

// newLiar starts one, for a policy to ask.
func newLiar(t *testing.T, p *Policy, addrs ...string) *liar {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{conn: conn, addrs: addrs}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.serve()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	p.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
	return l
}

func (l *liar) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := l.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer, err := l.answer(buf[:n]); err == nil {
			_, _ = l.conn.WriteTo(answer, from)
		}
	}
}

func (l *liar) answer(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	q := m.Questions[0]
	m = dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	if q.Type == dnsmessage.TypeA {
		i := int(l.asked.Add(1)) - 1
		addr := netip.MustParseAddr(l.addrs[min(i, len(l.addrs)-1)])
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: addr.As4()},
		}}
	}
	return m.Pack()
}

func TestANameThatTurnsToTheLoopbackIsRefused(t *testing.T) {
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"http://app.example:*", "http://*.example:*", "http://app.example:* *://self"} {
		p := mustParse(t, list)
		newLiar(t, p, "127.0.0.1")
		_, err := p.Dialer("http").DialContext(t.Context(), "tcp", "app.example.:"+port)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "resolves to 127.0.0.1") {
			t.Errorf("%s: %v", list, err)
		}
	}
	// The check is of what is connected to, so it works both ways: with a rule for everything the same connection is made.
	p := mustParse(t, "*://*:*")
	newLiar(t, p, "127.0.0.1")
	conn, err := p.Dialer("http").DialContext(t.Context(), "tcp", "app.example.:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		what, list, addr string
		want             error
	}{
		{"a private address", "tcp://app.example:80", "10.0.0.1", nil},
		{"the clouds' metadata", "tcp://app.example:80", "169.254.169.254", ErrRefused},
		{"the loopback", "tcp://app.example:80 *://self", "127.0.0.1", ErrRefused},
		{"the loopback, with a rule for everything", "*://*:80", "127.0.0.1", nil},
	} {
		t.Run("a name at "+c.what, func(t *testing.T) {
			p := mustParse(t, c.list)
			newLiar(t, p, c.addr)
			addrs, err := p.Lookup(t.Context(), "app.example.", "tcp", "udp")
			if !errors.Is(err, c.want) || err == nil && (len(addrs) != 1 || addrs[0].String() != c.addr) {
				t.Errorf("got %v, %v", addrs, err)
			}
		})
	}
	t.Run("a name that no rule allows is not asked for", func(t *testing.T) {
		p := mustParse(t, "http://app.example tcp://10.0.0.0/8:*")
		l := newLiar(t, p, "10.0.0.1")
		if _, err := p.Lookup(t.Context(), "app.example", "tcp", "udp"); !errors.Is(err, ErrRefused) || l.asked.Load() != 0 {
			t.Errorf("asked %d times: %v", l.asked.Load(), err)
		}
	})
	t.Run("localhost is not asked for", func(t *testing.T) {
		p := mustParse(t, "")
		l := newLiar(t, p, "10.0.0.1")
		addrs, err := p.Lookup(t.Context(), "localhost", "tcp")
		if len(addrs) != 2 || err != nil || l.asked.Load() != 0 {
			t.Errorf("asked %d times: %v, %v", l.asked.Load(), addrs, err)
		}
	})
}
