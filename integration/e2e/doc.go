//go:build linux

// E2e runs Kubernetes' own end-to-end tests, those of them that say what a node
// must do ("NodeConformance"), on two clusters that differ in one line: what
// containerd runs pods with that name no RuntimeClass. Once it is mayfly, once
// runc. It prints what came of them and what differs, and fails when something
// fails with mayfly that passes with runc.
//
// The tests, the programs in their images and the cluster are all built from
// the release's own modules; there is no registry. Tests that need what cannot
// be made here are in left-out.txt, each with the reason, and left out with
// both.
//
// A test whose outcomes differ is run once more with both. Results are kept in
// out/e2e, and with -resume only tests that have not passed are run.
package main
