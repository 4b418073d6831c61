package wasihttp

import (
	"io"
	"log/slog"
	"testing"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/guests"
)

// BenchmarkCacheLoad: how long is it until the first request can be answered, with compiled code and without?
func BenchmarkCacheLoad(b *testing.B) {
	o := Options{Sidecar: config.Sidecar{Memory: 64 << 20}, Log: slog.New(slog.DiscardHandler), GuestLog: io.Discard}
	for _, g := range []struct{ name, component string }{
		{"c", "time-c"}, {"rust", "time-rust"}, {"go", "time-go"}, {"js", "time-javascript"},
	} {
		wasm, ok := guests.Built(g.component)
		if !ok {
			continue
		}
		var dir string
		b.Run(g.name+"/entry", func(b *testing.B) {
			if dir == "" {
				dir = b.TempDir()
				if err := Compile(b.Context(), wasm, dir); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				a, err := LoadCompiled(b.Context(), dir, o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := a.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
		b.Run(g.name+"/plain", func(b *testing.B) {
			o := o
			o.Wasm = wasm
			for b.Loop() {
				a, err := Load(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := a.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
