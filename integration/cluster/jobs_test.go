//go:build linux

package cluster

var jobScenarios []scenario
