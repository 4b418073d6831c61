package wasihttp

import (
	"errors"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

func snapshot(o *Options) { o.Sidecar.Snapshot = true }

func TestAnswersComeFromASnapshotAsTheyDoWithoutOne(t *testing.T) {
	for _, name := range []string{behaviours, "time-c", "time-rust", "time-go"} {
		t.Run(name, func(t *testing.T) {
			wasm, ok := guests.Built(name)
			if !ok {
				t.Skip("not built: make guests")
			}
			s := serve(t, "hello", func(o *Options) { o.Wasm = wasm }, snapshot)
			plain := serve(t, "hello", func(o *Options) { o.Wasm = wasm })
			for range 20 {
				got, body := s.get(t, "/hello")
				want, wantBody := plain.get(t, "/hello")
				if got.StatusCode != want.StatusCode || shape(body) != shape(wantBody) {
					t.Fatalf("%d %q, want %d %q", got.StatusCode, body, want.StatusCode, wantBody)
				}
			}
		})
	}
}

// shape is a text without its digits, be they hexadecimal: the time differs, and what was drawn.
func shape(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'f' {
			return '0'
		}
		return r
	}, text)
}

func TestAModuleHasNoSnapshot(t *testing.T) {
	o := Options{Wasm: guests.Wasm("hello"), Args: []string{"hello"}}
	o.Sidecar.Memory = 64 << 20
	snapshot(&o)
	if _, err := Load(t.Context(), o); !errors.Is(err, instance.ErrSnapshot) || !strings.Contains(err.Error(), "leave the variable out") {
		t.Errorf("%v", err)
	}
}
