//go:build linux

package shim

import (
	"context"
	"sync"
	"testing"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/types/known/emptypb"
)

func TestWhatMountingChangesIsNotTheRequest(t *testing.T) {
	r := &taskapi.CreateTaskRequest{Rootfs: []*types.Mount{{Type: "overlay", Options: []string{"lowerdir=/a", "uidmap=0:1:2"}}}}
	toMounts(r)[0].Options[0] = "lowerdir=/elsewhere"
	if got := r.Rootfs[0].Options[0]; got != "lowerdir=/a" {
		t.Errorf("the request says %s", got)
	}
}

// slowTasks sends a signal when it is let.
type slowTasks struct {
	taskapi.TTRPCTaskService
	begun chan struct{}
	let   chan struct{}
}

func (s *slowTasks) Kill(context.Context, *taskapi.KillRequest) (*emptypb.Empty, error) {
	s.begun <- struct{}{}
	<-s.let
	return nil, nil
}

func TestFewSignalsAreSentAtATime(t *testing.T) {
	const all = 5 * mostKills
	s := newSidecars(t.Context(), "")
	slow := &slowTasks{begun: make(chan struct{}, all), let: make(chan struct{})}
	s.TTRPCTaskService = slow
	var kills sync.WaitGroup
	for range all {
		kills.Go(func() {
			if _, err := s.kill(t.Context(), &taskapi.KillRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	for range mostKills {
		<-slow.begun
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // who asked waits no longer
	if _, err := s.kill(ctx, &taskapi.KillRequest{}); err == nil {
		t.Error("one more is sent, though no other has an end")
	}
	for begun := mostKills; begun < all; begun++ {
		slow.let <- struct{}{}
		<-slow.begun
		if n := len(slow.begun); n > 0 {
			t.Errorf("%d more begin when one ends", n)
		}
	}
	close(slow.let)
	kills.Wait()
}
