// Command differential runs the same components under mayfly, "wasmtime serve" and "jco serve", asks each the same questions over raw
// connections, and prints where the answers are not the same.
//
// Compared are the status, the fields, the body and the trailers, and whether the answer came to its end. Not compared is what HTTP
// leaves to each server: the fields that frame a message or speak of the connection (RFC 9110, section 7.6.1), Date, Server, and
// X-Request-Id, which is mayfly's own; see ignored. Where a server answers in the guest's place only its status is compared: the words
// are its own.
//
// Differences that are known stand in known.txt, each with the reason. One that is not there fails the run; so does one that is there
// and is none any more.
//
// In reading order:
//
//	table*.go     what is asked
//	component.go  of which components
//	request.go    how a request is written
//	ask.go        how it is asked, and its answer read
//	compare.go    what two answers differ in
//	known.go      which of that is known
//	run.go        all of it
//
// The servers are those of package peers. One that cannot be had is left out, and that is said.
package main
