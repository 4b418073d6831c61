package sockets

import (
	"net/netip"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func TestMain(m *testing.M) { leak.Main(m) }

// newGuest returns a guest that may go where a list says.
func newGuest(t *testing.T, allowed string) *Guest {
	t.Helper()
	p, err := outbound.Parse(allowed)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGuest(p)
	t.Cleanup(g.Close)
	return g
}

// await waits as a guest does, until p is ready.
func await(t *testing.T, p wasiio.Pollable) {
	t.Helper()
	wake := make(chan struct{}, 1)
	stop := p.Watch(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer stop()
	for !p.Ready() {
		select {
		case <-wake:
		case <-t.Context().Done():
			t.Fatal("it never got ready")
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want checks the code that a guest is told.
func want(t *testing.T, what string, err error, c code) {
	t.Helper()
	if got, ok := codeOf(err); !ok || got != c {
		t.Errorf("%s: got %v, want %v", what, err, c)
	}
}

var (
	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.IPv6Loopback()
)

func port(addr netip.Addr, n uint16) netip.AddrPort { return netip.AddrPortFrom(addr, n) }

// families calls f for each family, with its loopback.
func families(t *testing.T, f func(t *testing.T, f family, loopback netip.Addr)) {
	t.Run("ipv4", func(t *testing.T) { f(t, ipv4, loopback4) })
	t.Run("ipv6", func(t *testing.T) {
		s, err := newTCPSocket(newGuest(t, ""), ipv6)
		if err != nil || s.startBind(port(loopback6, 0)) != nil {
			t.Skip("this machine has no IPv6")
		}
		f(t, ipv6, loopback6)
	})
}
