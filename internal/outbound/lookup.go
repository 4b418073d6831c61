package outbound

import (
	"context"
	"net"
	"net/netip"
)

// systemResolver is Go's own: the C library's would take 127.1 and 0x7f000001 for addresses.
var systemResolver = &net.Resolver{PreferGo: true}

func (p *Policy) resolve() *net.Resolver {
	if p.resolver != nil {
		return p.resolver
	}
	return systemResolver
}

// Lookup resolves a name for connections of some schemes, and returns the addresses that a rule may allow on one port or another. It
// returns an error that wraps [ErrRefused] when there are none, or [*net.DNSError]. The name has to be one that Name allows.
func (p *Policy) Lookup(ctx context.Context, host string, schemes ...string) ([]netip.Addr, error) {
	name := canonical(host)
	if err := p.Name(name, schemes...); err != nil {
		return nil, err
	}
	found := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	if !isLocalhost(name) {
		var err error
		if found, err = p.resolve().LookupNetIP(ctx, "ip", host); err != nil {
			return nil, err
		}
	}
	var allowed []netip.Addr
	for _, addr := range found {
		if addr = addr.Unmap(); p.reaches(name, addr, schemes) {
			allowed = append(allowed, addr)
		}
	}
	if len(allowed) == 0 && len(found) > 0 {
		return nil, p.refuse(schemes[0], name, 0, found[0].String())
	}
	return allowed, nil
}

// reaches reports whether a rule lets a name resolve to an address, on one port or another.
func (p *Policy) reaches(name string, addr netip.Addr, schemes []string) bool {
	for i := range p.rules {
		r := &p.rules[i]
		for _, scheme := range schemes {
			if (r.scheme == "" || r.scheme == scheme) && r.host.matchesName(name) && r.host.allowsResolved(name, plain(addr)) {
				return true
			}
		}
	}
	return false
}
