// Command bench measures mayfly on a real containerd and writes out/bench.json, for programs, and out/bench.html, for people.
//
// In reading order:
//
//	main.go       what is measured, one thing after the other
//	figure.go     a figure, and out/bench.json
//	component.go  components, in the engine's own clock
//	reset.go      what the end of an instance costs
//	instance.go   core modules, without HTTP
//	inflight.go   ten thousand requests at once
//	node.go       pods on a containerd
//	page.go       out/bench.html
//
// What needs root is left out without it, and that is said.
package main
