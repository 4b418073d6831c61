package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// rule is one entry of the list.
type rule struct {
	scheme string // "" for all
	host   hostRule
	ports  portRange
}

// portRange includes both of its ends.
type portRange struct{ first, last uint16 }

var allPorts = portRange{0, 65535}

func (r portRange) contains(port uint16) bool { return r.first <= port && port <= r.last }

// hostRule is one of: everything, the loopback, a network, a name, the names below one.
type hostRule struct {
	any      bool
	loopback bool
	network  netip.Prefix // valid where it is one
	name     string       // with a leading dot: the names below
}

var schemePorts = map[string]uint16{"http": 80, "https": 443, "postgres": 5432, "mysql": 3306, "redis": 6379, "mqtt": 1883}

// matches reports whether the rule is about a scheme and a port.
func (r *rule) matches(scheme string, port uint16) bool {
	return (r.scheme == "" || r.scheme == scheme) && r.ports.contains(port)
}

// matchesName reports whether the rule is about a name.
func (h *hostRule) matchesName(name string) bool {
	switch {
	case h.any:
		return true
	case isLocalhost(name) && (h.loopback || h.network.IsValid() && h.network.Addr().IsLoopback()):
		return true
	case h.name == "":
		return false
	case h.name[0] == '.':
		return strings.HasSuffix(name, h.name) && len(name) > len(h.name)
	}
	return h.name == name
}

// matchesAddr reports whether the rule is about an address that the guest asks for as such.
func (h *hostRule) matchesAddr(addr netip.Addr) bool {
	switch {
	case h.any:
		return true
	case h.loopback:
		return addr.IsLoopback()
	}
	return h.network.IsValid() && h.network.Contains(addr)
}

// allowsResolved reports whether the rule, which matches name, lets it resolve to addr.
func (h *hostRule) allowsResolved(name string, addr netip.Addr) bool {
	switch {
	case h.any:
		return true
	case isLocalhost(name):
		return addr.IsLoopback() && (h.name != "" || h.matchesAddr(addr))
	}
	return !own(addr)
}

// own reports whether addr is the machine's own affair, which no name leads to.
func own(addr netip.Addr) bool {
	if embedded, ok := nat64(addr); ok && own(embedded) {
		return true
	}
	return addr.IsUnspecified() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() ||
		addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || isMetadata(addr)
}

// isMetadata reports whether addr is one of those, outside the link-local ones, at which a cloud gives out a machine's credentials.
func isMetadata(addr netip.Addr) bool {
	switch addr.String() {
	case "fd00:ec2::254", "100.100.100.200":
		return true
	}
	return false
}

var nat64Prefix = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052

// nat64 returns the IPv4 address that a gateway would make of addr.
func nat64(addr netip.Addr) (netip.Addr, bool) {
	if !nat64Prefix.Contains(addr) {
		return netip.Addr{}, false
	}
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:])), true
}

func isLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

func parseRule(text string) (rule, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return rule{}, errors.New("has no scheme")
	}
	var r rule
	if scheme != "*" {
		if !isWord(scheme) {
			return rule{}, errors.New("the scheme is not a word or *")
		}
		r.scheme = strings.ToLower(scheme)
	}
	rest = strings.TrimSuffix(rest, "/")
	host, port := cutPort(rest)
	var err error
	if r.host, err = parseHost(host); err != nil {
		return rule{}, err
	}
	r.ports, err = parsePorts(port, &r)
	return r, err
}

// cutPort cuts what follows the last colon, unless that is inside an IPv6 address.
func cutPort(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, ""
	}
	// An IPv6 network needs no brackets; without a port, its colons are its own.
	if _, err := netip.ParsePrefix(s); err == nil {
		return s, ""
	}
	return s[:i], s[i+1:]
}

func parseHost(s string) (hostRule, error) {
	switch s {
	case "":
		return hostRule{}, errors.New("has no host")
	case "*":
		return hostRule{any: true}, nil
	case "self", "self.alt":
		return hostRule{loopback: true}, nil
	}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		if addr.Zone() != "" {
			return hostRule{}, errors.New("an address has no zone here")
		}
		addr = addr.Unmap()
		return hostRule{network: netip.PrefixFrom(addr, addr.BitLen())}, nil
	}
	if p, err := netip.ParsePrefix(bare); err == nil {
		if p.Addr().Is4In6() {
			return hostRule{}, errors.New("write the network as an IPv4 one")
		}
		return hostRule{network: p.Masked()}, nil
	}
	if strings.Contains(s, "/") {
		return hostRule{}, errors.New("has a path, or is not a network such as 10.0.0.0/8")
	}
	name := canonical(strings.TrimPrefix(s, "*"))
	if strings.Contains(name, "*") {
		return hostRule{}, errors.New("* stands for a whole host, or for the first part of a name: *.example.com")
	}
	if s[0] == '*' && !strings.HasPrefix(name, ".") || !IsName(strings.TrimPrefix(name, ".")) || s[0] == '.' {
		return hostRule{}, fmt.Errorf("the host %q is not a name", s)
	}
	return hostRule{name: name}, nil
}

func parsePorts(s string, r *rule) (portRange, error) {
	if s == "" {
		if r.host.loopback {
			return allPorts, nil
		}
		if p, ok := schemePorts[r.scheme]; ok {
			return portRange{p, p}, nil
		}
		return portRange{}, errors.New("has no port, and the scheme has none of its own; add :443, or :* for all")
	}
	if s == "*" {
		return allPorts, nil
	}
	first, last, isRange := strings.Cut(s, "..")
	from, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return portRange{}, fmt.Errorf("the port %q is not a number up to 65535, a range or *", s)
	}
	if !isRange {
		return portRange{uint16(from), uint16(from)}, nil
	}
	to, err := strconv.ParseUint(last, 10, 16)
	if err != nil || to <= from {
		return portRange{}, fmt.Errorf("the ports %q are not a range such as 8000..8010, which does not include its end", s)
	}
	return portRange{uint16(from), uint16(to - 1)}, nil
}

func isWord(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.') {
			return false
		}
	}
	return s != ""
}

// IsName reports whether s could be the name of a host, in lower case and without a dot at its end. Underscores are in use.
func IsName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}

// canonical is the form in which names are compared.
func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }
