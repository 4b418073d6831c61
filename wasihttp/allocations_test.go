//go:build !race

package wasihttp

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

// discard takes an answer as net/http does, and keeps nothing of it.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Flush()                      {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// What an exchange allocates is what collections are made of, which hold up all others: these numbers only go down.
func TestAnExchangeAllocatesLittle(t *testing.T) {
	for _, c := range []struct {
		guest string
		most  float64
	}{
		{"hello", 44},
		{behaviours, 290},
		{"time-c", 164},
		{"time-rust", 162},
	} {
		t.Run(c.guest, func(t *testing.T) {
			app, _, _ := load(t, "hello", func(o *Options) {
				if wasm, ok := guests.Built(c.guest); ok {
					o.Wasm = wasm
				}
				o.Log = slog.New(slog.DiscardHandler)
			})
			r := httptest.NewRequest("GET", "/hello?query", nil)
			r.Header.Set("User-Agent", "test")
			r.Header.Set("Accept", "*/*")
			w := &discard{header: http.Header{}}
			allocations := testing.AllocsPerRun(100, func() {
				clear(w.header)
				app.Server.serveHTTP(w, r)
			})
			t.Logf("%.0f allocations", allocations)
			if w.status != http.StatusOK {
				t.Fatal(w.status)
			}
			if allocations > c.most {
				t.Errorf("%.0f allocations; there were no more than %.0f", allocations, c.most)
			}
		})
	}
}
