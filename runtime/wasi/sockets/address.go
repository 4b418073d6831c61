package sockets

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// family is wasi:sockets/network.ip-address-family.
type family int

const (
	ipv4 family = iota
	ipv6
)

func (f family) domain() int {
	if f == ipv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// fits reports whether an address is one of the family. One of IPv4 in the form of IPv6 is of none.
func (f family) fits(addr netip.Addr) bool {
	return addr.Is4() && f == ipv4 || addr.Is6() && !addr.Is4In6() && f == ipv6
}

// The cases of ip-address and ip-socket-address are in the order of the families.

func addr4(v component.Value) netip.Addr {
	var b [4]byte
	for i := range b {
		b[i] = v.Field(i).U8()
	}
	return netip.AddrFrom4(b)
}

func addr6(v component.Value) netip.Addr {
	var b [16]byte
	for i := range 8 {
		n := v.Field(i).U16()
		b[2*i], b[2*i+1] = byte(n>>8), byte(n)
	}
	return netip.AddrFrom16(b)
}

// liftAddrPort reads an ip-socket-address. Flow information is left out: the system picks it.
func liftAddrPort(v component.Value) netip.AddrPort {
	p := v.Payload()
	if family(v.Case()) == ipv4 {
		return netip.AddrPortFrom(addr4(p.Field(1)), p.Field(0).U16())
	}
	addr := addr6(p.Field(2))
	if scope := p.Field(3).U32(); scope != 0 {
		addr = addr.WithZone(strconv.FormatUint(uint64(scope), 10))
	}
	return netip.AddrPortFrom(addr, p.Field(0).U16())
}

func lowerAddr(addr netip.Addr) component.Value {
	if addr.Is4() {
		return abi.Variant(int(ipv4), lowerAddr4(addr))
	}
	return abi.Variant(int(ipv6), lowerAddr6(addr))
}

func lowerAddr4(addr netip.Addr) component.Value {
	b := addr.As4()
	return abi.Tuple(abi.U8(b[0]), abi.U8(b[1]), abi.U8(b[2]), abi.U8(b[3]))
}

func lowerAddr6(addr netip.Addr) component.Value {
	b := addr.As16()
	segments := make([]component.Value, 8)
	for i := range segments {
		segments[i] = abi.U16(uint16(b[2*i])<<8 | uint16(b[2*i+1]))
	}
	return abi.Tuple(segments...)
}

func lowerAddrPort(ap netip.AddrPort) component.Value {
	addr := ap.Addr()
	if addr.Is4() {
		return abi.Variant(int(ipv4), abi.Record(abi.U16(ap.Port()), lowerAddr4(addr)))
	}
	return abi.Variant(int(ipv6), abi.Record(abi.U16(ap.Port()), abi.U32(0), lowerAddr6(addr), abi.U32(scope(addr))))
}

// scope returns an address's scope-id, which is its zone here.
func scope(addr netip.Addr) uint32 {
	n, _ := strconv.ParseUint(addr.Zone(), 10, 32)
	return uint32(n)
}

func sockaddr(ap netip.AddrPort) unix.Sockaddr {
	addr := ap.Addr()
	if addr.Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: addr.As4()}
	}
	return &unix.SockaddrInet6{Port: int(ap.Port()), ZoneId: scope(addr), Addr: addr.As16()}
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(sa.ZoneId), 10))
		}
		return netip.AddrPortFrom(addr, uint16(sa.Port))
	}
	return netip.AddrPort{}
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func isUnicast(addr netip.Addr) bool { return !addr.IsMulticast() && addr != broadcast }

// checkLocal checks an address to bind to. What is not the pod's own is not an address that the network can bind to.
func (f family) checkLocal(addr netip.Addr) error {
	switch {
	case !f.fits(addr) || !isUnicast(addr):
		return invalidArgument
	case !addr.IsLoopback() && !addr.IsUnspecified():
		return addressNotBindable
	}
	return nil
}

// checkRemote checks an address to connect or send to, whether it is allowed or not.
func (f family) checkRemote(ap netip.AddrPort) error {
	if addr := ap.Addr(); !f.fits(addr) || !isUnicast(addr) || addr.IsUnspecified() || ap.Port() == 0 {
		return invalidArgument
	}
	return nil
}
