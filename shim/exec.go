//go:build linux

package shim

import (
	"context"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mayfly-run/mayfly/shim/bundle"
)

// Exec adds a process to a container. In a sidecar mayfly's tools are there to be run, whatever the image has.
func (s *service) Exec(ctx context.Context, r *taskapi.ExecProcessRequest) (*emptypb.Empty, error) {
	if s.sidecar(r.ID) != nil && r.Spec != nil {
		process, err := bundle.Tool(r.Spec.Value)
		if err != nil {
			return nil, toGRPC(err)
		}
		r = proto.CloneOf(r)
		r.Spec = &anypb.Any{TypeUrl: r.Spec.TypeUrl, Value: process}
	}
	return s.TTRPCTaskService.Exec(ctx, r)
}
