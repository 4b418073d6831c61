// Package integration holds the tests on real containerd: one list of scenarios
// (scenarios, in scenario_test.go), run against every supported containerd, and
// against the runc shim as the control where a scenario is not about sidecars.
//
// To add a scenario write a function that takes an *env and put it into the
// list. It gets a running containerd, and fails when it leaves anything behind.
package integration
