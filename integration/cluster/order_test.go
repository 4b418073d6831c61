//go:build linux

package cluster

var orderScenarios []scenario
