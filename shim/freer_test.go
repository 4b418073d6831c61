//go:build linux

package shim

import (
	"context"
	"testing"
	"time"

	"github.com/containerd/ttrpc"
)

func TestMemoryIsFreedWhileContainerdLooksOn(t *testing.T) {
	freed := make(chan struct{}, 1)
	m := newMemoryFreer(20*time.Millisecond, func() { freed <- struct{}{} })
	defer m.stop()
	call := func(method string) {
		answer, err := m.intercept(t.Context(), nil, &ttrpc.UnaryServerInfo{FullMethod: "/containerd.task.v3.Task/" + method},
			func(context.Context, func(any) error) (any, error) { return method, nil })
		if answer != method || err != nil {
			t.Errorf("%s: got %v, %v", method, answer, err)
		}
	}
	for _, change := range []string{"", "Create", "Kill"} {
		if change != "" {
			call(change)
		}
		for end := time.Now().Add(20 * time.Second); len(freed) == 0; time.Sleep(time.Millisecond) {
			call("Stats")
			if time.Now().After(end) {
				t.Fatalf("nothing is freed after %q", change)
			}
		}
		<-freed
	}
	select {
	case <-freed:
		t.Error("memory is freed again though nothing was done")
	case <-time.After(50 * time.Millisecond):
	}
}
