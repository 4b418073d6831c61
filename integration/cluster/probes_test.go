//go:build linux

package cluster

var probeScenarios []scenario
