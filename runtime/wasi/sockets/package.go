package sockets

import (
	_ "embed"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

//go:embed sockets.wit
var declarations string

// State is what an instance's state must have for its component to import wasi:sockets.
type State interface {
	// Sockets returns the instance's sockets; nil: it has no network.
	Sockets() *Guest
}

// Package is wasi:sockets. The state of instances must be a [State].
func Package() component.Package {
	return component.Package{
		WIT: declarations,
		Interfaces: map[string]component.Interface{
			"network":          {Funcs: map[string]component.HostFunc{"network-error-code": networkErrorCode}},
			"instance-network": {Funcs: map[string]component.HostFunc{"instance-network": instanceNetwork}},
			"ip-name-lookup": {
				Funcs: map[string]component.HostFunc{
					"resolve-addresses": resolveAddresses,
					"[method]resolve-address-stream.resolve-next-address": resolveNextAddress,
					"[method]resolve-address-stream.subscribe":            subscribe,
				},
				Drop: map[string]func(any){"resolve-address-stream": func(r any) { r.(*resolution).drop() }},
			},
			"tcp": {
				Funcs: tcpFunctions,
				Drop:  map[string]func(any){"tcp-socket": func(r any) { r.(*tcpSocket).drop() }},
			},
			"tcp-create-socket": {Funcs: map[string]component.HostFunc{"create-tcp-socket": createTCPSocket}},
			"udp": {
				Funcs: udpFunctions,
				Drop: map[string]func(any){
					"udp-socket":               func(r any) { r.(*udpSocket).drop() },
					"incoming-datagram-stream": func(r any) { r.(*incoming).drop() },
					"outgoing-datagram-stream": func(r any) { r.(*outgoing).drop() },
				},
			},
			"udp-create-socket": {Funcs: map[string]component.HostFunc{"create-udp-socket": createUDPSocket}},
		},
	}
}

// guestOf returns the network of the instance that calls.
func guestOf(c *component.Call) (*Guest, error) {
	if g := c.State().(State).Sockets(); g != nil {
		return g, nil
	}
	return nil, accessDenied
}

// network is the resource wasi:sockets/network.network. There is one network: what is allowed on it is the guest's policy's to say.
type network struct{ _ byte }

// instanceNetwork is wasi:sockets/instance-network.instance-network.
func instanceNetwork(*component.Call, []component.Value) (component.Value, error) {
	return abi.Resource(&network{}), nil
}

// resolveAddresses is wasi:sockets/ip-name-lookup.resolve-addresses.
func resolveAddresses(c *component.Call, args []component.Value) (component.Value, error) {
	g, err := guestOf(c)
	if err != nil {
		return result(component.Value{}, err)
	}
	r, err := g.resolve(args[1].String())
	return result(abi.Resource(r), err)
}

// resolveNextAddress is wasi:sockets/ip-name-lookup.[method]resolve-address-stream.resolve-next-address.
func resolveNextAddress(_ *component.Call, args []component.Value) (component.Value, error) {
	addr, ok, err := args[0].Resource().(*resolution).next()
	if !ok {
		return result(abi.None(), err)
	}
	return result(abi.Some(lowerAddr(addr)), nil)
}

// subscribe is the method of that name of all resources here.
func subscribe(_ *component.Call, args []component.Value) (component.Value, error) {
	return wasiio.NewPollable(args[0].Resource().(wasiio.Pollable)), nil
}

// createTCPSocket is wasi:sockets/tcp-create-socket.create-tcp-socket.
func createTCPSocket(c *component.Call, args []component.Value) (component.Value, error) {
	g, err := guestOf(c)
	if err != nil {
		return result(component.Value{}, err)
	}
	s, err := newTCPSocket(g, family(args[0].Case()))
	return result(abi.Resource(s), err)
}

// createUDPSocket is wasi:sockets/udp-create-socket.create-udp-socket.
func createUDPSocket(c *component.Call, args []component.Value) (component.Value, error) {
	g, err := guestOf(c)
	if err != nil {
		return result(component.Value{}, err)
	}
	s, err := newUDPSocket(g, family(args[0].Case()))
	return result(abi.Resource(s), err)
}
