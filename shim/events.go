//go:build linux

package shim

import (
	"context"

	eventsapi "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
)

// observer passes events on to containerd and tells the service of containers that ended.
//
// The runc task service is the one that learns of it, in the right order with all else that happens to a container.
type observer struct {
	containerdshim.Publisher
	exited func(id string, pid int, status uint32)
}

func (o *observer) Publish(ctx context.Context, topic string, event events.Event) error {
	if e, ok := event.(*eventsapi.TaskExit); ok && e.ID == e.ContainerID {
		o.exited(e.ContainerID, int(e.Pid), e.ExitStatus)
	}
	return o.Publisher.Publish(ctx, topic, event)
}
