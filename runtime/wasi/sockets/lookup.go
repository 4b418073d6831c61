package sockets

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/idna"

	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// maxName is the longest name, before it is converted: a name of DNS has 253 bytes.
const maxName = 1 << 10

// resolution is the resource wasi:sockets/ip-name-lookup.resolve-address-stream.
type resolution struct {
	guest  *Guest
	name   string // "" of an address
	cancel context.CancelFunc
	signal wasiio.Signal

	mu    sync.Mutex
	done  bool
	addrs []netip.Addr // not read yet
	err   error
}

// resolve begins to look a name up. An address is its own name, and nobody is asked.
func (g *Guest) resolve(name string) (*resolution, error) {
	bare := name
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		bare = name[1 : len(name)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		return &resolution{guest: g, cancel: func() {}, done: true, addrs: []netip.Addr{addr.Unmap().WithZone("")}}, nil
	}
	if name = canonical(name); name == "" {
		return nil, invalidArgument
	}
	if g.policy.Name(name, "tcp", "udp") != nil {
		return nil, accessDenied
	}
	if !g.beginLookup() {
		return nil, temporaryResolverFailure
	}
	if g.cancel == nil {
		g.ctx, g.cancel = context.WithCancel(context.Background())
	}
	ctx, cancel := context.WithCancel(g.ctx)
	r := &resolution{guest: g, name: name, cancel: cancel}
	g.wg.Go(func() {
		defer cancel()
		defer g.endLookup()
		r.lookup(ctx)
	})
	return r, nil
}

// canonical returns a name as DNS has it; "" if it is none.
func canonical(name string) string {
	if len(name) > maxName {
		return ""
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || !outbound.IsName(strings.TrimSuffix(ascii, ".")) {
		return ""
	}
	return ascii
}

func (g *Guest) beginLookup() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lookups >= maxLookups {
		return false
	}
	g.lookups++
	return true
}

func (g *Guest) endLookup() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lookups--
}

func (r *resolution) lookup(ctx context.Context) {
	addrs, err := r.guest.policy.Lookup(ctx, r.name, "tcp", "udp")
	r.mu.Lock()
	r.done, r.addrs, r.err = true, addrs, lookupError(err)
	r.mu.Unlock()
	r.signal.Notify()
}

func lookupError(err error) error {
	var dns *net.DNSError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, outbound.ErrRefused):
		return accessDenied
	case errors.As(err, &dns) && dns.IsNotFound:
		return nameUnresolvable
	case errors.As(err, &dns) && (dns.IsTimeout || dns.IsTemporary):
		return temporaryResolverFailure
	}
	return permanentResolverFailure
}

// next returns the next address; false: there are no more.
func (r *resolution) next() (netip.Addr, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.done:
		return netip.Addr{}, false, wouldBlock
	case r.err != nil:
		return netip.Addr{}, false, r.err
	case len(r.addrs) == 0:
		return netip.Addr{}, false, nil
	}
	addr := r.addrs[0]
	r.addrs = r.addrs[1:]
	if r.name != "" {
		r.guest.remember(addr, r.name)
	}
	return addr, true, nil
}

var _ wasiio.Pollable = (*resolution)(nil)

// Ready implements wasiio.Pollable.
func (r *resolution) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}

// Watch implements wasiio.Pollable.
func (r *resolution) Watch(wake func()) (stop func()) {
	stop = r.signal.Watch(wake)
	if r.Ready() {
		wake()
	}
	return stop
}

// drop ends the lookup; whoever waits for it is woken by its end.
func (r *resolution) drop() { r.cancel() }
