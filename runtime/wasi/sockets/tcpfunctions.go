package sockets

import (
	"net/netip"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// tcp makes a HostFunc of a method of tcp-socket, which is given the arguments after the socket.
func tcp(f func(s *tcpSocket, args []component.Value) (component.Value, error)) component.HostFunc {
	return func(_ *component.Call, args []component.Value) (component.Value, error) {
		return result(f(args[0].Resource().(*tcpSocket), args[1:]))
	}
}

// tcpDo is tcp for a method without a result.
func tcpDo(f func(s *tcpSocket, args []component.Value) error) component.HostFunc {
	return tcp(func(s *tcpSocket, args []component.Value) (component.Value, error) {
		return component.Value{}, f(s, args)
	})
}

// tcpFunctions are the functions of wasi:sockets/tcp.
var tcpFunctions = map[string]component.HostFunc{
	// The network, which comes first, is always the same.
	"[method]tcp-socket.start-bind": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.startBind(liftAddrPort(args[1]))
	}),
	"[method]tcp-socket.finish-bind": tcpDo(func(s *tcpSocket, _ []component.Value) error { return s.finishBind() }),
	"[method]tcp-socket.start-connect": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.startConnect(liftAddrPort(args[1]))
	}),
	"[method]tcp-socket.finish-connect": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		in, out, err := s.finishConnect()
		if err != nil {
			return component.Value{}, err
		}
		return abi.Tuple(wasiio.NewInput(in), wasiio.NewOutput(out)), nil
	}),
	"[method]tcp-socket.start-listen":  tcpDo(func(s *tcpSocket, _ []component.Value) error { return s.startListen() }),
	"[method]tcp-socket.finish-listen": tcpDo(func(s *tcpSocket, _ []component.Value) error { return s.finishListen() }),
	"[method]tcp-socket.accept": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		a, err := s.accept()
		if err != nil {
			return component.Value{}, err
		}
		return abi.Tuple(abi.Resource(a), wasiio.NewInput(a.input), wasiio.NewOutput(a.output)), nil
	}),
	"[method]tcp-socket.local-address": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		return loweredAddrPort(s.localAddress())
	}),
	"[method]tcp-socket.remote-address": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		return loweredAddrPort(s.remoteAddress())
	}),
	"[method]tcp-socket.is-listening": func(_ *component.Call, args []component.Value) (component.Value, error) {
		return abi.Bool(args[0].Resource().(*tcpSocket).state == tcpListening), nil
	},
	"[method]tcp-socket.address-family": func(_ *component.Call, args []component.Value) (component.Value, error) {
		return abi.Enum(int(args[0].Resource().(*tcpSocket).d.family)), nil
	},
	"[method]tcp-socket.set-listen-backlog-size": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.setBacklog(args[0].U64())
	}),
	"[method]tcp-socket.keep-alive-enabled": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		n, err := s.d.option(keepAlive)
		return abi.Bool(n != 0), err
	}),
	"[method]tcp-socket.set-keep-alive-enabled": tcpDo(func(s *tcpSocket, args []component.Value) error {
		if args[0].Bool() {
			return s.d.setOption(keepAlive, 1)
		}
		return s.d.setOption(keepAlive, 0)
	}),
	"[method]tcp-socket.keep-alive-idle-time": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		return loweredU64(s.d.seconds(keepAliveIdle))
	}),
	"[method]tcp-socket.set-keep-alive-idle-time": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.d.setSeconds(keepAliveIdle, args[0].U64())
	}),
	"[method]tcp-socket.keep-alive-interval": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		return loweredU64(s.d.seconds(keepAliveInterval))
	}),
	"[method]tcp-socket.set-keep-alive-interval": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.d.setSeconds(keepAliveInterval, args[0].U64())
	}),
	"[method]tcp-socket.keep-alive-count": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		n, err := s.d.option(keepAliveCount)
		return abi.U32(uint32(n)), err
	}),
	"[method]tcp-socket.set-keep-alive-count": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.d.setNumber(keepAliveCount, uint64(args[0].U32()), maxKeepAliveCount)
	}),
	"[method]tcp-socket.hop-limit": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		return s.d.hopLimit()
	}),
	"[method]tcp-socket.set-hop-limit": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.d.setHopLimit(args[0].U8())
	}),
	"[method]tcp-socket.receive-buffer-size": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		return loweredU64(s.d.buffer(receiveBuffer))
	}),
	"[method]tcp-socket.set-receive-buffer-size": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.d.setNumber(receiveBuffer, args[0].U64(), maxBuffer)
	}),
	"[method]tcp-socket.send-buffer-size": tcp(func(s *tcpSocket, _ []component.Value) (component.Value, error) {
		return loweredU64(s.d.buffer(sendBuffer))
	}),
	"[method]tcp-socket.set-send-buffer-size": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.d.setNumber(sendBuffer, args[0].U64(), maxBuffer)
	}),
	"[method]tcp-socket.subscribe": subscribe,
	"[method]tcp-socket.shutdown": tcpDo(func(s *tcpSocket, args []component.Value) error {
		return s.shutdown(args[0].Case())
	}),
}

func loweredAddrPort(ap netip.AddrPort, err error) (component.Value, error) {
	if err != nil {
		return component.Value{}, err
	}
	return lowerAddrPort(ap), nil
}

func loweredU64(n uint64, err error) (component.Value, error) { return abi.U64(n), err }
