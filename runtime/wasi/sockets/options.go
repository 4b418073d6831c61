package sockets

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// The system's own bounds; it refuses what is outside of them, where WASI wants it clamped.
const (
	maxKeepAliveTime  = 32767 * time.Second
	maxKeepAliveCount = 127
	maxBuffer         = math.MaxInt32 / 2
)

// option is a socket option that is a number.
type option struct{ level, name int }

var (
	keepAlive         = option{unix.SOL_SOCKET, unix.SO_KEEPALIVE}
	keepAliveIdle     = option{unix.IPPROTO_TCP, keepIdle}
	keepAliveInterval = option{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}
	keepAliveCount    = option{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}
	receiveBuffer     = option{unix.SOL_SOCKET, unix.SO_RCVBUF}
	sendBuffer        = option{unix.SOL_SOCKET, unix.SO_SNDBUF}
)

func (f family) hops() option {
	if f == ipv6 {
		return option{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS}
	}
	return option{unix.IPPROTO_IP, unix.IP_TTL}
}

func (d *descriptor) option(o option) (int, error) { return unix.GetsockoptInt(d.fd, o.level, o.name) }

func (d *descriptor) setOption(o option, n int) error {
	return unix.SetsockoptInt(d.fd, o.level, o.name, n)
}

// setNumber sets an option to n, or to the most that is possible.
func (d *descriptor) setNumber(o option, n, most uint64) error {
	if n == 0 {
		return invalidArgument
	}
	return d.setOption(o, int(min(n, most)))
}

// seconds returns an option that is a time in the system's seconds, in WASI's nanoseconds.
func (d *descriptor) seconds(o option) (uint64, error) {
	n, err := d.option(o)
	return uint64(n) * uint64(time.Second), err
}

// setSeconds rounds up: 0 would mean something else.
func (d *descriptor) setSeconds(o option, ns uint64) error {
	if ns == 0 {
		return invalidArgument
	}
	ns = min(ns, uint64(maxKeepAliveTime))
	return d.setOption(o, int((ns+uint64(time.Second)-1)/uint64(time.Second)))
}

func (d *descriptor) buffer(o option) (uint64, error) {
	n, err := d.option(o)
	return uint64(n / bufferFactor), err
}

func (d *descriptor) hopLimit() (component.Value, error) {
	n, err := d.option(d.family.hops())
	return abi.U8(uint8(n)), err
}

func (d *descriptor) setHopLimit(n uint8) error {
	return d.setNumber(d.family.hops(), uint64(n), math.MaxUint8)
}
