package guestfs

import (
	"runtime"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// collect lets the collector close the directories that trees hold open, which is how they end.
func collect(t *testing.T) {
	t.Cleanup(func() {
		for range 3 {
			runtime.GC()
		}
	})
}
