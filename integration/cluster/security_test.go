//go:build linux

package cluster

var securityScenarios []scenario
