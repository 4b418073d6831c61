//go:build linux

// Conformance runs containerd's own client test suite on one machine with
// mayfly's runtime and with runc's, and compares the outcomes test by test.
// There are two controls. What cannot work on this machine fails with runc too,
// and says nothing about mayfly; neither does a test that passes when there is
// no runtime at all.
//
// The suite is the one of the containerd module, built unchanged. It brings up
// its own containerd, in a node of package lab, and pulls images by their
// public names; in the node these names lead to a registry on the loopback
// device, with images of the same shape made from Debian's busybox. One cannot
// be made, because the suite asks for it by digest. Benchmarks and fuzz targets
// are left out, the latter because they bring no inputs.
//
// A test whose outcomes differ is run once more, alone, with both runtimes; the
// run fails when a test then still fails with mayfly and passes with runc.
package main
