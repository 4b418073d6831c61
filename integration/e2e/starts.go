//go:build linux

package main

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// starts knows the namespaces in which a container was started: a test in
// another one says nothing of a runtime.
type starts struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when nobody watches any more

	mu         sync.Mutex // guards namespaces
	namespaces map[string]bool
}

// watchStarts watches the pods of a cluster until stop is called.
func watchStarts(ctx context.Context, kubeconfig string) (*starts, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &starts{cancel: cancel, done: make(chan struct{}), namespaces: map[string]bool{}}
	go func() {
		defer close(s.done)
		for ctx.Err() == nil {
			s.watch(ctx, client) // a server ends a watch now and then
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return s, nil
}

func (s *starts) watch(ctx context.Context, client kubernetes.Interface) {
	w, err := client.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return // the tests will say that the server is gone
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		if p, ok := e.Object.(*corev1.Pod); ok && ran(p) {
			s.mu.Lock()
			s.namespaces[p.Namespace] = true
			s.mu.Unlock()
		}
	}
}

// ran tells whether a container of the pod was started.
func ran(p *corev1.Pod) bool {
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for _, c := range list {
			if c.State.Running != nil || c.State.Terminated != nil && c.State.Terminated.ContainerID != "" || c.LastTerminationState.Terminated != nil {
				return true
			}
		}
	}
	return false
}

// stop ends the watch and returns the namespaces.
func (s *starts) stop() map[string]bool {
	s.cancel()
	<-s.done
	return s.namespaces
}

// inNamespace is the last step of a test that has a namespace.
var inNamespace = regexp.MustCompile(`^Destroying namespace "([^"]+)" for this suite`)

// startedOne tells whether a container was started for the test.
func startedOne(s specReport, namespaces map[string]bool) bool {
	for _, e := range s.SpecEvents {
		if m := inNamespace.FindStringSubmatch(e.Message); m != nil && namespaces[m[1]] {
			return true
		}
	}
	return false
}
