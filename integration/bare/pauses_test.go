//go:build linux

package bare

import (
	"slices"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/figures"
)

func TestPausesAreReadFromATrace(t *testing.T) {
	const trace = `2026-01-01T00:00:00Z info  ready
gc 1 @0.033s 0%: 0.24+13+0.005 ms clock, 0.48+0/0.75/0.33+0.011 ms cpu, 3->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 2 @0.061s 2%: 1.5+23+0 ms clock, 0.28+0/2.6/1.0+0.11 ms cpu, 3->4->3 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)
gc 3 @0.061s 2%: and something else
gc 4
`
	got, cycles := Pauses(trace)
	µs := time.Microsecond
	if want := (figures.Times{240 * µs, 5 * µs, 1500 * µs, 0}); cycles != 2 || !slices.Equal(got, want) {
		t.Errorf("got %v, %d cycles, want %v", got, cycles, want)
	}
}
