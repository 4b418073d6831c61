//go:build linux

package cluster

var kubectlScenarios []scenario
