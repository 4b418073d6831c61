//go:build linux

package shim

import (
	"context"
	"fmt"
	"sync"
	"time"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	// mostKills is how many containers are being ended at once.
	mostKills = 8
	// A container that was killed ends at once, unless the kernel holds it; one that was asked to end may have something to finish.
	killedPatience = 5 * time.Second
	askedPatience  = 200 * time.Millisecond
)

// kills lets only so many signals be on their way as the runc service can follow. It hears of its children's ends one by one, through a queue
// of 32, and waits at the end of a container for a runc whose own end is in that queue too: for the one that sent the signal, and, where
// containers share their processes, for another that ends what is left. Once the queue is full each end takes a second, and kubelet, which
// ends all containers of a pod at once, has no answer in time and begins again: pods of a thousand did not end, and those of forty that share
// their processes took more than a minute.
type kills struct {
	slots  chan struct{}
	ctx    context.Context // the shim's, until close
	cancel context.CancelFunc
	held   sync.WaitGroup
}

func newKills(ctx context.Context) *kills {
	k := &kills{slots: make(chan struct{}, mostKills)}
	k.ctx, k.cancel = context.WithCancel(ctx)
	return k
}

// close waits for those that still have a slot.
func (k *kills) close() {
	k.cancel()
	k.held.Wait()
}

// send has tasks send a signal to a container, when it is its turn. The turn lasts until the container has ended, or may not end soon.
func (k *kills) send(ctx context.Context, tasks taskapi.TTRPCTaskService, r *taskapi.KillRequest) (*emptypb.Empty, error) {
	select {
	case k.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, toGRPC(fmt.Errorf("wait for the end of other containers: %w", ctx.Err()))
	}
	resp, err := tasks.Kill(ctx, r)
	if err != nil {
		<-k.slots
		return nil, err
	}
	patience := askedPatience
	if r.Signal == uint32(unix.SIGKILL) {
		patience = killedPatience
	}
	k.held.Go(func() {
		defer func() { <-k.slots }()
		ctx, cancel := context.WithTimeout(k.ctx, patience)
		defer cancel()
		_, _ = tasks.Wait(ctx, &taskapi.WaitRequest{ID: r.ID}) // when it is no more there it has ended
	})
	return resp, nil
}
