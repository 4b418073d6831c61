//go:build linux

package cluster

var networkScenarios []scenario
