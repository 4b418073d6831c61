//go:build linux

package bare

import (
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/internal/figures"
)

// Pauses reads what GODEBUG=gctrace=1 prints: for each cycle of the collector
// "gc 7 @1.2s 3%: 0.02+21+0.01 ms clock, …", of which the first and the last
// time are those for which the world was stopped.
func Pauses(trace string) (all figures.Times, cycles int) {
	for line := range strings.Lines(trace) {
		if !strings.HasPrefix(line, "gc ") {
			continue
		}
		_, rest, _ := strings.Cut(line, "%: ")
		times, _, ok := strings.Cut(rest, " ms clock")
		parts := strings.Split(times, "+")
		if !ok || len(parts) != 3 {
			continue
		}
		cycles++
		for _, part := range []string{parts[0], parts[2]} {
			if ms, err := strconv.ParseFloat(part, 64); err == nil {
				all = append(all, time.Duration(ms*float64(time.Millisecond)))
			}
		}
	}
	return all, cycles
}
