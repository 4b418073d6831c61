//go:build linux

package cluster

var resourceScenarios []scenario
