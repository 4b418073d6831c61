package clusterbench

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func waiting(reason, message string) corev1.PodStatus {
	return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name: "c", Image: "localhost/mayfly/bench-c:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}}}
}

func TestWhatKeepsAPodFromStartingIsSaidWithWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name   string
		status corev1.PodStatus
		want   []string
	}{
		{"its container is being created", waiting("ContainerCreating", ""), nil},
		{"an image cannot be pulled", waiting("ImagePullBackOff", "Back-off pulling"), []string{"localhost/mayfly/bench-c:1", "kind load image-archive", "make bench-images REGISTRY="}},
		{"the container cannot be started", waiting("RunContainerError", "exec format error"), []string{"container c", "RuntimeClass's handler is runc"}},
		{"something that nobody knows", waiting("CreateContainerError", "oh."), []string{"container c: oh: ", "containerd's log"}},
		{"no node takes it", corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/2 nodes are available"}}},
			[]string{"0/2 nodes are available", "--node"}},
		{"it has ended", corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "c", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 3}}}}},
			[]string{"container c has ended", "exit code 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := wrong(&corev1.Pod{Status: c.status})
			if (err != nil) != (c.want != nil) || err != nil && !errors.Is(err, ErrCannotStart) {
				t.Fatalf("%v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
		})
	}
}
