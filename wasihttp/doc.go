// Package wasihttp is an HTTP request in, a WebAssembly instance, a response out.
//
// The guest is a component that exports wasi:http/incoming-handler, as the world wasi:http/proxy of WASI 0.2 has it; or a core module
// made for WASI 0.1, which speaks CGI/1.1 (RFC 3875): the request is its environment and its standard input, its standard output is the
// answer, its standard error goes to the log. Every request has a fresh instance.
//
// In reading order:
//
//	app.go        what was loaded, and how many instances of it there may be
//	serve.go      connections: accepting, idleness, draining
//	conn.go       what must hold between two requests of one
//	exchange.go   one request from its arrival to its end
//	queue.go      its wait for an instance
//	refuse.go     what the host answers in the guest's place
//	body.go       a body from the network on its way to a guest
//
//	cgi.go        a module that answers: cgi_environ.go what it is told,
//	              cgi_answer.go what it says, cgi_head.go the head of that
//
//	component.go  a component that answers, or that is a command
//	reply.go      its answer, delivery.go the way of that to the client
//	outlet.go     a body from a guest on its way to the network
//	fetch.go      its requests to others, client.go who sends them
//	host.go       wasi:http's functions, by name: incoming.go, outgoing.go, fields.go
//
// # Two goroutines
//
// A module runs on the goroutine of its request, which ends with it. A component has a goroutine of its own: it may say that its answer is
// whole and go on, and then the client has the answer at once, and the next request may come on the connection. The goroutine
// of the request sends what the guest says; between the two is an outlet, a bounded buffer, so that a guest is never ahead of its client by
// more than that. A guest that goes on is still a guest: it counts as an instance, has its timeout, and is waited for.
//
// What a guest says is sent at the latest after flushAfter, or when the guest waits for anything. So an answer that is made in one go
// leaves as one packet with its length, and one that is made piece by piece arrives piece by piece. While a client waits for 100 Continue
// the answer of a component has more time: the guest may be about to ask for the body.
//
// # Hostile on both sides
//
// A guest is hostile, and so may be its client, and whom it asks: what any of them sends is bounded, and none can hold an instance
// beyond the request's timeout. A guest reaches others only where MAYFLY_ALLOWED_OUTBOUND lets it.
//
// The package knows no containers: cmd/mayfly-engine and cmd/mayfly give it listeners and a file. Both start with [Load].
package wasihttp
