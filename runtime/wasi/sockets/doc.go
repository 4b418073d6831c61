// Package sockets is the host of wasi:sockets: TCP, UDP and name lookup over non-blocking sockets of the system.
//
// Where a guest may connect and send to is decided by an [outbound.Policy]: for an address, or for the name that the guest has looked it
// up by. What a guest listens on is for its own pod: it binds to the loopback or, as clients do, to no address in particular, and then
// connections from elsewhere are closed unseen, and datagrams that do not come from where it may send to are dropped. Requests from
// outside are not for sockets; they come through mayfly.
//
// Nothing here waits. A goroutine runs for a socket only while the guest waits for it, or while the system has not yet taken all that
// the guest wrote.
package sockets
