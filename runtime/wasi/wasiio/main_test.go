package wasiio

import (
	"context"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// guest waits as a guest does.
type guest struct{ ctx context.Context }

func newGuest(t *testing.T) guest { return guest{t.Context()} }

func (g guest) Context() context.Context { return g.ctx }

func (g guest) Wait(ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-g.ctx.Done():
		return g.ctx.Err()
	}
}
