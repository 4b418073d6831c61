//go:build linux

package cluster

var badScenarios []scenario
