//go:build linux

package cluster

var volumeScenarios []scenario
