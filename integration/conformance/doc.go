// Conformance runs containerd's own client test suite twice on one machine,
// with mayfly's runtime and with runc's, and compares the outcomes test by
// test.
package main
