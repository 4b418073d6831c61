package wasihttp

import (
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/guests"
)

// BenchmarkCacheLoad: how long is it until the first request can be answered, with compiled code and without? The best time is what it takes where
// nothing else runs.
func BenchmarkCacheLoad(b *testing.B) {
	o := Options{Sidecar: config.Sidecar{Memory: 64 << 20}, Log: slog.New(slog.DiscardHandler), GuestLog: io.Discard}
	for _, g := range []struct{ name, component string }{
		{"c", "time-c"}, {"rust", "time-rust"}, {"go", "time-go"}, {"js", "time-javascript"},
	} {
		wasm, ok := guests.Built(g.component)
		if !ok {
			continue
		}
		dir := ""
		b.Run(g.name+"/entry", func(b *testing.B) {
			if dir == "" {
				dir = b.TempDir()
				if err := Compile(b.Context(), wasm, dir); err != nil {
					b.Fatal(err)
				}
			}
			timeLoads(b, func() (*App, error) { return LoadCompiled(b.Context(), dir, o) })
		})
		b.Run(g.name+"/plain", func(b *testing.B) {
			o := o
			o.Wasm = wasm
			timeLoads(b, func() (*App, error) { return Load(b.Context(), o) })
		})
	}
}

// timeLoads reports what a load takes: half of them less than p50.
func timeLoads(b *testing.B, load func() (*App, error)) {
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		a, err := load()
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
		if err := a.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(took[0]), "best-ms")
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
}
