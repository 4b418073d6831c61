package sockets

import (
	"net/netip"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// udp makes a HostFunc of a method of udp-socket, which is given the arguments after the socket.
func udp(f func(s *udpSocket, args []component.Value) (component.Value, error)) component.HostFunc {
	return func(_ *component.Call, args []component.Value) (component.Value, error) {
		return result(f(args[0].Resource().(*udpSocket), args[1:]))
	}
}

// udpDo is udp for a method without a result.
func udpDo(f func(s *udpSocket, args []component.Value) error) component.HostFunc {
	return udp(func(s *udpSocket, args []component.Value) (component.Value, error) {
		return component.Value{}, f(s, args)
	})
}

// udpFunctions are the functions of wasi:sockets/udp.
var udpFunctions = map[string]component.HostFunc{
	// The network, which comes first, is always the same.
	"[method]udp-socket.start-bind": udpDo(func(s *udpSocket, args []component.Value) error {
		return s.startBind(liftAddrPort(args[1]))
	}),
	"[method]udp-socket.finish-bind": udpDo(func(s *udpSocket, _ []component.Value) error { return s.finishBind() }),
	"[method]udp-socket.stream": udp(func(s *udpSocket, args []component.Value) (component.Value, error) {
		in, out, err := s.stream(liftOptionalAddrPort(args[0]))
		if err != nil {
			return component.Value{}, err
		}
		return abi.Tuple(abi.Resource(in), abi.Resource(out)), nil
	}),
	"[method]udp-socket.local-address": udp(func(s *udpSocket, _ []component.Value) (component.Value, error) {
		return loweredAddrPort(s.localAddress())
	}),
	"[method]udp-socket.remote-address": udp(func(s *udpSocket, _ []component.Value) (component.Value, error) {
		return loweredAddrPort(s.remoteAddress())
	}),
	"[method]udp-socket.address-family": func(_ *component.Call, args []component.Value) (component.Value, error) {
		return abi.Enum(int(args[0].Resource().(*udpSocket).d.family)), nil
	},
	"[method]udp-socket.unicast-hop-limit": udp(func(s *udpSocket, _ []component.Value) (component.Value, error) {
		return s.d.hopLimit()
	}),
	"[method]udp-socket.set-unicast-hop-limit": udpDo(func(s *udpSocket, args []component.Value) error {
		return s.d.setHopLimit(args[0].U8())
	}),
	"[method]udp-socket.receive-buffer-size": udp(func(s *udpSocket, _ []component.Value) (component.Value, error) {
		return loweredU64(s.d.buffer(receiveBuffer))
	}),
	"[method]udp-socket.set-receive-buffer-size": udpDo(func(s *udpSocket, args []component.Value) error {
		return s.d.setNumber(receiveBuffer, args[0].U64(), maxBuffer)
	}),
	"[method]udp-socket.send-buffer-size": udp(func(s *udpSocket, _ []component.Value) (component.Value, error) {
		return loweredU64(s.d.buffer(sendBuffer))
	}),
	"[method]udp-socket.set-send-buffer-size": udpDo(func(s *udpSocket, args []component.Value) error {
		return s.d.setNumber(sendBuffer, args[0].U64(), maxBuffer)
	}),
	"[method]udp-socket.subscribe": func(*component.Call, []component.Value) (component.Value, error) {
		// Nothing that the socket itself does is ever in progress.
		return wasiio.NewPollable(wasiio.AlwaysReady{}), nil
	},
	"[method]incoming-datagram-stream.receive":    receive,
	"[method]incoming-datagram-stream.subscribe":  subscribe,
	"[method]outgoing-datagram-stream.check-send": checkSend,
	"[method]outgoing-datagram-stream.send":       sendDatagrams,
	"[method]outgoing-datagram-stream.subscribe":  subscribe,
}

func liftOptionalAddrPort(v component.Value) netip.AddrPort {
	if a, ok := v.Some(); ok {
		return liftAddrPort(a)
	}
	return netip.AddrPort{}
}

// receive is wasi:sockets/udp.[method]incoming-datagram-stream.receive.
func receive(_ *component.Call, args []component.Value) (component.Value, error) {
	received, err := args[0].Resource().(*incoming).receive(args[1].U64())
	if err != nil {
		return result(component.Value{}, err)
	}
	list := make([]component.Value, len(received))
	for i, d := range received {
		list[i] = abi.Record(abi.Bytes(d.data), lowerAddrPort(d.remote))
	}
	return result(abi.List(list...), nil)
}

// checkSend is wasi:sockets/udp.[method]outgoing-datagram-stream.check-send.
func checkSend(_ *component.Call, args []component.Value) (component.Value, error) {
	n, err := args[0].Resource().(*outgoing).checkSend()
	return result(abi.U64(uint64(n)), err)
}

// sendDatagrams is wasi:sockets/udp.[method]outgoing-datagram-stream.send.
func sendDatagrams(_ *component.Call, args []component.Value) (component.Value, error) {
	list := args[1].List()
	all := make([]datagram, len(list))
	for i, v := range list {
		all[i] = datagram{v.Field(0).Bytes(), liftOptionalAddrPort(v.Field(1))}
	}
	n, err := args[0].Resource().(*outgoing).send(all)
	return result(abi.U64(uint64(n)), err)
}
