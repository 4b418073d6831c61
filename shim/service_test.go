//go:build linux

package shim

import (
	"testing"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types"
)

func TestWhatMountingChangesIsNotTheRequest(t *testing.T) {
	r := &taskapi.CreateTaskRequest{Rootfs: []*types.Mount{{Type: "overlay", Options: []string{"lowerdir=/a", "uidmap=0:1:2"}}}}
	toMounts(r)[0].Options[0] = "lowerdir=/elsewhere"
	if got := r.Rootfs[0].Options[0]; got != "lowerdir=/a" {
		t.Errorf("the request says %s", got)
	}
}
