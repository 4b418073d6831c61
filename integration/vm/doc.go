//go:build linux

// Vm runs the scenarios of package integration, or those on Kubernetes, in a
// virtual machine whose kernel has cgroups of version 2 and nothing else, with
// all capabilities: what a current distribution gives a node, and what the
// machine at hand may not have. It says what works there, never how fast:
// without hardware support the processor is emulated, ten times slower than a
// real one or worse.
//
// The machine's files are Debian packages, unpacked and not installed, kept in
// the lab's cache; a second disk has mayfly's programs, the compiled tests and
// what the lab has built. Package guest is its first process. Nothing is
// written back: it ends as it began.
//
// What the tests print is printed, what the kernel says is in
// out/vm/console.log, and the exit code is the tests'.
package main
