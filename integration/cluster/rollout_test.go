//go:build linux

package cluster

var rolloutScenarios []scenario
