// Package wasihttp is an HTTP request in, a WebAssembly instance, a response out.
//
// The guest is a core module made for WASI 0.1 and speaks CGI/1.1 (RFC 3875): the request is its environment and its standard
// input, its standard output is the answer, its standard error goes to the log. Every request has a fresh instance, and each is
// gone before its request counts as done.
//
// In reading order:
//
//	serve.go     connections: accepting, idleness, draining
//	conn.go      what must hold between two requests of one
//	exchange.go  one request from its arrival to its end
//	queue.go     its wait for an instance
//	environ.go   what the guest is told
//	answer.go    what the guest says, and head.go the head of it
//	refuse.go    what the host answers in its place
//
// A guest is hostile, and so may be its client: what either sends is bounded, and neither can hold an instance beyond the
// request's timeout.
//
// The package knows no containers: cmd/mayfly-engine and cmd/mayfly give it listeners and a module. Both start with [Load].
package wasihttp
