//go:build linux

package cluster

var nodeScenarios []scenario
