package sockets

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/outbound"
)

const (
	// maxOpen is how many sockets a guest may have open.
	maxOpen = 256
	// maxLookups is how many names a guest may look up at once.
	maxLookups = 32
	// maxNames is how many addresses are remembered with the names that they were looked up by.
	maxNames = 4096
	// linger is how long, after the guest's end, the system may take for what the guest has written.
	linger = time.Second
)

// Guest is the sockets of one instance. It belongs to the goroutine that runs the instance.
type Guest struct {
	policy *outbound.Policy
	wg     sync.WaitGroup          // of all goroutines
	cancel context.CancelFunc      // ends lookups; nil: there was none
	ctx    context.Context         // of lookups
	names  map[netip.Addr][]string // by which the guest has looked addresses up
	known  int                     // entries of names

	mu      sync.Mutex
	open    map[*descriptor]struct{} // what is to be closed at the end
	lookups int                      // that run
}

// NewGuest returns an instance's view of the network. Most instances never look, so it costs next to nothing.
func NewGuest(policy *outbound.Policy) *Guest { return &Guest{policy: policy} }

// Sockets makes a Guest a State.
func (g *Guest) Sockets() *Guest { return g }

// Close closes what the instance has left open, and waits a moment for the system to take what it has written. It is called after the
// instance's end; once more does no harm.
func (g *Guest) Close() {
	if g.cancel != nil {
		g.cancel()
	}
	g.mu.Lock()
	left := make([]*descriptor, 0, len(g.open))
	for d := range g.open {
		left = append(left, d)
	}
	g.mu.Unlock()
	for _, d := range left {
		d.expire(time.Now().Add(linger))
	}
	g.wg.Wait()
	for _, d := range left {
		d.close()
	}
}

// allowed reports whether the guest may connect or send to an address, by itself or by a name that it was looked up by.
func (g *Guest) allowed(scheme string, to netip.AddrPort) error {
	if g.permitted(scheme, to) {
		return nil
	}
	// This time the refusal is logged.
	_ = g.policy.Address(scheme, to)
	return accessDenied
}

func (g *Guest) permitted(scheme string, to netip.AddrPort) bool {
	for _, name := range g.names[to.Addr().WithZone("")] {
		if g.policy.Permits(scheme, name, to) {
			return true
		}
	}
	return g.policy.Permits(scheme, "", to)
}

// remember notes by which name the guest knows an address.
func (g *Guest) remember(addr netip.Addr, name string) {
	for _, n := range g.names[addr] {
		if n == name {
			return
		}
	}
	if g.known < maxNames {
		g.known++
		if g.names == nil {
			g.names = map[netip.Addr][]string{}
		}
		g.names[addr] = append(g.names[addr], name)
	}
}
