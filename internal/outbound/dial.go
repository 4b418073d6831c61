package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// Dialer connects where the policy allows.
type Dialer struct {
	policy *Policy
	scheme string
}

// Dialer returns one for connections of a scheme: its DialContext is what [net/http.Transport] wants.
func (p *Policy) Dialer(scheme string) *Dialer { return &Dialer{p, scheme} }

// keepAlive finds connections whose other side has gone.
const keepAlive = 30 * time.Second

// DialContext connects to address, a host and a port. Of the addresses that a name resolves to, those that the policy does not allow are
// left out. It returns an error that wraps [ErrRefused] when it allows none.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("connect to %.300q: %w", address, err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("connect to %.300q: the port is not a number", address)
	}
	if err := d.policy.Host(d.scheme, host, int(port)); err != nil {
		return nil, err
	}
	dialer := net.Dialer{
		KeepAlive: keepAlive,
		Resolver:  d.policy.resolve(),
		// What is checked is what is connected to: nothing is resolved after this.
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("connect to %.300q: %w", address, ErrRefused)
			}
			if _, ok := parseAddr(host); ok {
				return d.policy.Address(d.scheme, to)
			}
			return d.policy.Resolved(d.scheme, host, to)
		},
	}
	return dialer.DialContext(ctx, network, address)
}
