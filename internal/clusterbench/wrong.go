package clusterbench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// ErrCannotStart is the error for a pod that will not start whatever one waits.
var ErrCannotStart = errors.New("a pod of the benchmark cannot start")

// cannot is an ErrCannotStart that says what to do.
func cannot(pod *corev1.Pod, what, do string) error {
	return fmt.Errorf("%w: %s on node %s: %s: %s", ErrCannotStart, pod.Name, orUnknown(pod.Spec.NodeName), strings.TrimRight(what, ".\n"), do)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// wrong tells what is wrong with a pod that will not become Ready, nil while it may.
func wrong(pod *corev1.Pod) error {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable {
			return cannot(pod, "no node takes it: "+c.Message, "make room, or name another node with --node")
		}
	}
	all := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for _, c := range all {
		image := c.Image
		if w := c.State.Waiting; w != nil {
			switch w.Reason {
			case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError":
				return cannot(pod, "the node has no image "+image+" and cannot pull it ("+w.Message+")",
					"load the archives of the images' directory into every node (kind load image-archive, ctr -n k8s.io image import), or push them where it can pull: make bench-images REGISTRY=PREFIX")
			case "CreateContainerError", "CreateContainerConfigError", "RunContainerError", "StartError", "CrashLoopBackOff":
				return cannot(pod, fmt.Sprintf("container %s: %s", c.Name, w.Message), hint(w.Message))
			}
		}
		if t := c.State.Terminated; t != nil && pod.DeletionTimestamp == nil {
			return cannot(pod, fmt.Sprintf("container %s has ended: %s, exit code %d %s", c.Name, t.Reason, t.ExitCode, t.Message), hint(t.Message))
		}
	}
	return nil
}

// hint is what to do about a message of containerd's or of mayfly's.
func hint(message string) string {
	for _, h := range []struct{ part, do string }{
		{"exec format error", "the RuntimeClass's handler is runc, or the image is for another architecture: see examples/runtimeclass.yaml"},
		{"no runtime for", "containerd on the node does not know the RuntimeClass's handler: see \"Installing it on a node\" in the README, and restart containerd"},
		{"not found", "a program of mayfly is missing on the node: put all four binaries into one directory"},
	} {
		if strings.Contains(message, h.part) {
			return h.do
		}
	}
	return "containerd's log on the node may say more"
}

// wrongSandbox reads from a pod's events whether its sandbox cannot be made, which no status tells.
func (a *api) wrongSandbox(ctx context.Context, name string) error {
	var list corev1.EventList
	err := a.core.Get().Namespace(a.namespace).Resource("events").
		Param("fieldSelector", "involvedObject.name="+name+",type=Warning").Do(ctx).Into(&list)
	if err != nil {
		return nil // it is only asked to say more
	}
	for _, e := range list.Items {
		if e.Reason == "FailedCreatePodSandBox" && e.Count+seriesCount(&e) > 0 {
			pod := &corev1.Pod{}
			pod.Name, pod.Spec.NodeName = name, e.Source.Host
			return cannot(pod, e.Message, hint(e.Message))
		}
	}
	return nil
}

func seriesCount(e *corev1.Event) int32 {
	if e.Series == nil {
		return 1
	}
	return e.Series.Count
}

// lastWords are what containers that have ended wrote last, as an error for who reads it; nil if there is nothing.
func (a *api) lastWords(ctx context.Context, pod *corev1.Pod) (words error) {
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Terminated == nil {
			continue
		}
		text, err := a.core.Get().Namespace(a.namespace).Resource("pods").Name(pod.Name).SubResource("log").
			Param("container", c.Name).Param("tailLines", "3").Param("limitBytes", "4096").DoRaw(ctx)
		if log := strings.TrimSpace(string(text)); err == nil && log != "" {
			words = errors.Join(words, fmt.Errorf("the log of container %s ends with: %s", c.Name, log))
		}
	}
	return words
}

// state is a pod's in a few words.
func state(pod *corev1.Pod) string {
	if pod == nil {
		return "the watch has not shown it"
	}
	words := []string{"phase " + string(pod.Status.Phase)}
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil {
			words = append(words, fmt.Sprintf("container %s waits: %s %s", c.Name, w.Reason, w.Message))
		}
	}
	return strings.Join(words, "; ")
}
