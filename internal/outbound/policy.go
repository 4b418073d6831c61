package outbound

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Variable is the name of the variable that holds the list.
const Variable = "MAYFLY_ALLOWED_OUTBOUND"

// Example is an entry of the list as it may be.
const Example = "https://api.example.com, *://*.svc.cluster.local:8080, tcp://10.0.0.0/8:5432 or *://self:*"

const (
	maxText  = 64 << 10
	maxRules = 1000
)

// ErrRefused says that the policy does not allow a connection. The error that wraps it says which, and what would allow it.
var ErrRefused = errors.New("not allowed")

// Policy is where a guest may connect to. It may be used by any number of goroutines.
type Policy struct {
	rules    []rule
	seen     refusals
	resolver *net.Resolver // nil: the system's
}

// Parse reads a list as the package's documentation describes. An empty one allows the loopback.
func Parse(text string) (*Policy, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("the list has %d bytes; at most %d are read", len(text), maxText)
	}
	entries := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	switch {
	case len(entries) == 0:
		return &Policy{rules: []rule{{host: hostRule{loopback: true}, ports: allPorts}}}, nil
	case len(entries) == 1 && entries[0] == "none":
		return &Policy{}, nil
	case len(entries) > maxRules:
		return nil, fmt.Errorf("the list has %d entries; at most %d are read", len(entries), maxRules)
	}
	p := &Policy{}
	for _, e := range entries {
		r, err := parseRule(e)
		if err != nil {
			return nil, fmt.Errorf("the entry %.100q %w; want scheme://host:port, for example %s", e, err, Example)
		}
		p.rules = append(p.rules, r)
	}
	return p, nil
}

// LogTo has refusals logged. It is called before the policy is used.
func (p *Policy) LogTo(log *slog.Logger) { p.seen.log = log }

// Host checks a destination before its name is resolved: whether there is a rule that may allow it. host is a name or an address. It
// returns an error that wraps ErrRefused.
func (p *Policy) Host(scheme, host string, port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("connect to port %d: %w: there is no such port", port, ErrRefused)
	}
	if addr, ok := parseAddr(host); ok {
		return p.Address(scheme, netip.AddrPortFrom(addr, uint16(port)))
	}
	name := canonical(host)
	for i := range p.rules {
		if r := &p.rules[i]; r.matches(scheme, uint16(port)) && r.host.matchesName(name) {
			return nil
		}
	}
	return p.refuse(scheme, name, uint16(port), "")
}

// Name checks whether a name may be resolved for one of the schemes: whether there is a port for which Host would allow it.
func (p *Policy) Name(host string, schemes ...string) error {
	name := canonical(host)
	for _, scheme := range schemes {
		for i := range p.rules {
			if r := &p.rules[i]; (r.scheme == "" || r.scheme == scheme) && r.host.matchesName(name) {
				return nil
			}
		}
	}
	return p.refuse(schemes[0], name, 0, "")
}

// Address checks an address that the guest asked for as such. It returns an error that wraps ErrRefused.
func (p *Policy) Address(scheme string, to netip.AddrPort) error {
	if p.Permits(scheme, "", to) {
		return nil
	}
	return p.refuse(scheme, plain(to.Addr()).String(), to.Port(), "")
}

// Resolved checks an address that the guest has as one of a name. It returns an error that wraps ErrRefused.
func (p *Policy) Resolved(scheme, host string, to netip.AddrPort) error {
	if p.Permits(scheme, host, to) {
		return nil
	}
	if err := p.Host(scheme, host, int(to.Port())); err != nil {
		return err
	}
	return p.refuse(scheme, canonical(host), to.Port(), plain(to.Addr()).String())
}

// Permits reports what Resolved would say, or Address where host is empty, and logs nothing.
func (p *Policy) Permits(scheme, host string, to netip.AddrPort) bool {
	name, addr := canonical(host), plain(to.Addr())
	for i := range p.rules {
		r := &p.rules[i]
		switch {
		case !r.matches(scheme, to.Port()):
		case name == "" && r.host.matchesAddr(addr):
			return true
		case name != "" && r.host.matchesName(name) && r.host.allowsResolved(name, addr):
			return true
		}
	}
	return false
}

// refuse makes the error, and logs it. resolved is the address that the name resolves to, when it is that what is refused.
func (p *Policy) refuse(scheme, host string, port uint16, resolved string) error {
	d := destination{scheme: scheme, host: cut(host), resolved: resolved, port: port}
	p.seen.add(d)
	return fmt.Errorf("connect to %s: %w: %s", d, ErrRefused, d.advice())
}

// destination is what was refused.
type destination struct {
	scheme, host, resolved string
	port                   uint16 // 0: none in particular
}

func (d destination) String() string {
	port := "*"
	if d.port != 0 {
		port = strconv.Itoa(int(d.port))
	}
	return d.scheme + "://" + net.JoinHostPort(d.host, port)
}

func (d destination) advice() string {
	if d.resolved == "" {
		return "to allow it, add " + d.String() + " to " + Variable
	}
	return fmt.Sprintf("the name resolves to %s, which a rule for a name does not reach; to allow it, connect to the address and add it to %s", d.resolved, Variable)
}

// parseAddr reads an address as it stands in a URL, too.
func parseAddr(host string) (netip.Addr, bool) {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

// plain is the form in which addresses are compared: without zone, and not mapped.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func cut(host string) string {
	const longest = 253 // a name in DNS
	if len(host) > longest {
		return strings.ToValidUTF8(host[:longest], "") + "…"
	}
	return host
}
