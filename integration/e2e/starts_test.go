//go:build linux

package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestRan(t *testing.T) {
	statuses := func(s corev1.ContainerState) []corev1.ContainerStatus {
		return []corev1.ContainerStatus{{State: s}}
	}
	for name, c := range map[string]struct {
		status corev1.PodStatus
		want   bool
	}{
		"a pod that waits has not": {corev1.PodStatus{ContainerStatuses: statuses(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}})}, false},
		"one that runs has":        {corev1.PodStatus{ContainerStatuses: statuses(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})}, true},
		"one whose first container has ended has": {corev1.PodStatus{
			InitContainerStatuses: statuses(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ContainerID: "containerd://1"}}),
		}, true},
		"one that was refused has not": {corev1.PodStatus{
			ContainerStatuses: statuses(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "ContainerStatusUnknown"}}),
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ran(&corev1.Pod{Status: c.status}); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
