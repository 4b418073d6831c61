// Command benchpeers measures mayfly beside what else there is, on one machine, with the same components, in one run: "wasmtime serve" as it
// comes and with its pooling options, "jco serve", and for Go the same handler as an ordinary program in a container that is kept or
// started for each request. It writes out/bench-peers.json and out/bench-peers.html.
//
// The servers of a component run all at once and are asked in turns, A B C A B C, a second each; what else the machine does is shared
// among them so. Ratios are of the same round. mayfly is "mayfly serve", the engine of a sidecar in a pod without holder and shim, so
// that who reads this can start each server with the command that the report tells.
//
// In reading order:
//
//	fleet.go      which servers
//	turns.go      how they are asked, and what came out
//	starts.go     the first request after a start
//	memory.go     what they hold
//	container.go  a container for each request
//	results.go    out/bench-peers.json
//	table.go      what is printed
//	page.go       out/bench-peers.html
//
// It needs Linux, and root for containers; what cannot be had is left out, and that is said.
package main
