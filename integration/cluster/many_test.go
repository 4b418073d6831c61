//go:build linux

package cluster

var manyScenarios []scenario
