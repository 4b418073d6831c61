package sockets

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/clocks"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func TestThePackageFitsItsDeclarations(t *testing.T) {
	if _, err := component.NewHost(wasiio.Package(), clocks.Package(), Package()); err != nil {
		t.Error(err)
	}
}

func TestAddressesPassBothWays(t *testing.T) {
	for _, text := range []string{"1.2.3.4:5", "255.0.255.0:65535", "[::]:0", "[2001:db8::8:800:200c:417a]:443", "[fe80::1%7]:80"} {
		ap := netip.MustParseAddrPort(text)
		if got := liftAddrPort(lowerAddrPort(ap)); got != ap {
			t.Errorf("%s becomes %s", ap, got)
		}
		if got := liftAddr(lowerAddr(ap.Addr())); got != ap.Addr().WithZone("") {
			t.Errorf("%s becomes %s", ap.Addr(), got)
		}
		if got := addrPort(sockaddr(ap)); got != ap {
			t.Errorf("%s becomes %s for the system", ap, got)
		}
	}
}

func TestNetworkErrorCode(t *testing.T) {
	for _, c := range []struct {
		what string
		err  error
		some bool
		want code
	}{
		{"the system's", os.NewSyscallError("write", unix.ECONNRESET), true, connectionReset},
		{"ours", timeout, true, timeout},
		{"another", io.ErrUnexpectedEOF, false, 0},
		{"one of the system's that has no code", unix.EXDEV, false, 0},
	} {
		v, err := networkErrorCode(nil, []component.Value{wasiio.NewError(c.err)})
		got, some := v.Some()
		if err != nil || some != c.some || code(got.Case()) != c.want {
			t.Errorf("%s: %v, %v, %v", c.what, got.Case(), some, err)
		}
	}
}

// TestFunctions calls each function once as a guest does, through its values.
func TestFunctions(t *testing.T) {
	g := newGuest(t, "")
	call := func(f component.HostFunc, args ...component.Value) component.Value {
		t.Helper()
		v, err := f(nil, args)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	ok := func(what string, v component.Value) component.Value {
		t.Helper()
		p, good := v.OK()
		if !good {
			t.Errorf("%s: error-code %d", what, p.Case())
		}
		return p
	}
	net, local := abi.Resource(&network{}), lowerAddrPort(port(loopback4, 0))

	l, err := newTCPSocket(g, ipv4)
	must(t, err)
	listener := abi.Resource(l)
	tcp := func(name string, args ...component.Value) component.Value {
		t.Helper()
		return ok(name, call(tcpFunctions["[method]tcp-socket."+name], append([]component.Value{listener}, args...)...))
	}
	tcp("start-bind", net, local)
	tcp("finish-bind")
	tcp("set-listen-backlog-size", abi.U64(5))
	tcp("start-listen")
	tcp("finish-listen")
	if !call(tcpFunctions["[method]tcp-socket.is-listening"], listener).Bool() {
		t.Error("it does not listen")
	}
	if call(tcpFunctions["[method]tcp-socket.address-family"], listener).Case() != int(ipv4) {
		t.Error("it is of the wrong family")
	}
	tcp("set-keep-alive-enabled", abi.Bool(false))
	tcp("set-keep-alive-enabled", abi.Bool(true))
	if !tcp("keep-alive-enabled").Bool() {
		t.Error("keep-alive is not enabled")
	}
	for name, n := range map[string]uint64{"keep-alive-idle-time": 5e9, "keep-alive-interval": 6e9, "receive-buffer-size": 1 << 16, "send-buffer-size": 1 << 16} {
		tcp("set-"+name, abi.U64(n))
		if got := tcp(name).U64(); got != n {
			t.Errorf("%s is %d", name, got)
		}
	}
	tcp("set-keep-alive-count", abi.U32(7))
	tcp("set-hop-limit", abi.U8(8))
	if n, m := tcp("keep-alive-count").U32(), tcp("hop-limit").U8(); n != 7 || m != 8 {
		t.Errorf("keep-alive-count %d, hop-limit %d", n, m)
	}
	at := tcp("local-address")

	c, err := newTCPSocket(g, ipv4)
	must(t, err)
	client := abi.Resource(c)
	ok("start-connect", call(tcpFunctions["[method]tcp-socket.start-connect"], client, net, at))
	await(t, call(tcpFunctions["[method]tcp-socket.subscribe"], client).Resource().(wasiio.Pollable))
	pair := ok("finish-connect", call(tcpFunctions["[method]tcp-socket.finish-connect"], client))
	await(t, l)
	accepted := tcp("accept")
	remote := ok("remote-address", call(tcpFunctions["[method]tcp-socket.remote-address"], client))
	if liftAddrPort(remote) != liftAddrPort(at) {
		t.Error("the remote address is another")
	}
	ok("shutdown", call(tcpFunctions["[method]tcp-socket.shutdown"], client, abi.Enum(shutdownBoth)))
	streams := wasiio.Package().Interfaces["streams"].Drop
	for _, v := range []component.Value{pair, accepted} {
		n := len(v.List())
		streams["input-stream"](v.Field(n - 2).Resource())
		streams["output-stream"](v.Field(n - 1).Resource())
	}
	drops := Package().Interfaces["tcp"].Drop["tcp-socket"]
	for _, v := range []component.Value{accepted.Field(0), client, listener} {
		drops(v.Resource())
	}

	u, err := newUDPSocket(g, ipv4)
	must(t, err)
	socket := abi.Resource(u)
	udp := func(name string, args ...component.Value) component.Value {
		t.Helper()
		return ok(name, call(udpFunctions["[method]udp-socket."+name], append([]component.Value{socket}, args...)...))
	}
	udp("start-bind", net, local)
	udp("finish-bind")
	at = udp("local-address")
	both := udp("stream", abi.Some(at))
	if liftAddrPort(udp("remote-address")) != liftAddrPort(at) {
		t.Error("the remote address is another")
	}
	udp("set-unicast-hop-limit", abi.U8(9))
	for _, name := range []string{"receive-buffer-size", "send-buffer-size"} {
		udp("set-"+name, abi.U64(1<<16))
		if n := udp(name).U64(); n != 1<<16 {
			t.Errorf("%s is %d", name, n)
		}
	}
	if n := udp("unicast-hop-limit").U8(); n != 9 || call(udpFunctions["[method]udp-socket.address-family"], socket).Case() != int(ipv4) {
		t.Errorf("unicast-hop-limit %d", n)
	}
	await(t, call(udpFunctions["[method]udp-socket.subscribe"], socket).Resource().(wasiio.Pollable))
	in, out := both.Field(0), both.Field(1)
	if n := ok("check-send", call(udpFunctions["[method]outgoing-datagram-stream.check-send"], out)).U64(); n == 0 {
		t.Error("nothing may be sent")
	}
	list := abi.List(abi.Record(abi.Bytes([]byte("hello")), abi.None()), abi.Record(abi.Bytes([]byte("you")), abi.Some(at)))
	if n := ok("send", call(udpFunctions["[method]outgoing-datagram-stream.send"], out, list)).U64(); n != 2 {
		t.Errorf("sent %d", n)
	}
	await(t, call(udpFunctions["[method]incoming-datagram-stream.subscribe"], in).Resource().(wasiio.Pollable))
	got := ok("receive", call(udpFunctions["[method]incoming-datagram-stream.receive"], in, abi.U64(1)))
	if d := got.Field(0); string(d.Field(0).Bytes()) != "hello" || liftAddrPort(d.Field(1)) != liftAddrPort(at) {
		t.Errorf("received %q", d.Field(0).Bytes())
	}
	dropUDP := Package().Interfaces["udp"].Drop
	dropUDP["incoming-datagram-stream"](in.Resource())
	dropUDP["outgoing-datagram-stream"](out.Resource())
	dropUDP["udp-socket"](socket.Resource())

	r, err := g.resolve("127.0.0.1")
	must(t, err)
	first, _ := ok("resolve-next-address", call(resolveNextAddress, abi.Resource(r))).Some()
	if _, more := ok("resolve-next-address", call(resolveNextAddress, abi.Resource(r))).Some(); liftAddr(first) != loopback4 || more {
		t.Errorf("resolved to %v", liftAddr(first))
	}
	if len(g.open) != 0 {
		t.Errorf("%d sockets are open still", len(g.open))
	}
}

func TestResultEndsTheGuestForATrapOnly(t *testing.T) {
	if _, err := result(component.Value{}, errors.New("something")); err != nil {
		t.Error(err)
	}
	s, err := newUDPSocket(newGuest(t, ""), ipv4)
	must(t, err)
	_, trap := (&outgoing{datagrams: datagrams{s: s, d: s.d}}).send(make([]datagram, 1))
	if _, err := result(component.Value{}, trap); err == nil {
		t.Error("a trap is told to the guest")
	}
}

// liftAddr reads an ip-address, which no function of the host takes.
func liftAddr(v component.Value) netip.Addr {
	p := v.Payload()
	if family(v.Case()) == ipv4 {
		return addr4(p)
	}
	return addr6(p)
}
