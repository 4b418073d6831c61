//go:build linux

package shim

import (
	"context"
	"path"
	"time"

	"github.com/containerd/ttrpc"
)

// memoryFreer gives memory back to the kernel once nothing has been done for a while: no timer runs in an idle shim.
type memoryFreer struct {
	after time.Duration
	timer *time.Timer
}

func newMemoryFreer(after time.Duration, free func()) *memoryFreer {
	return &memoryFreer{after: after, timer: time.AfterFunc(after, free)}
}

func (m *memoryFreer) intercept(ctx context.Context, unmarshal ttrpc.Unmarshaler, info *ttrpc.UnaryServerInfo, method ttrpc.Method) (any, error) {
	if !looks(path.Base(info.FullMethod)) {
		m.timer.Reset(m.after)
	}
	return method(ctx, unmarshal)
}

func (m *memoryFreer) stop() { m.timer.Stop() }

// looks reports whether a call of the task API changes nothing. containerd asks for each container's figures once a second, from 2.2 on: a shim
// that waited for the end of that would never be quiet.
func looks(method string) bool {
	switch method {
	case "Stats", "State", "Pids", "Connect":
		return true
	}
	return false
}
