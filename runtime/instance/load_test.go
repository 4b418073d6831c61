package instance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/guests"
)

func TestLoadRefuses(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	for _, c := range []struct {
		guest string
		want  error
		says  string
	}{
		{"empty", ErrEmpty, "build or copy"},
		{"not-wasm", ErrNotWasm, `"#!/b"`},
		{"truncated", ErrMalformed, "at byte 0xa8"},
		{"malformed", ErrMalformed, "not enough results"},
		{"component", ErrComponent, "core module"},
		{"unknown-import", ErrImport, `"env"."launch_rocket" (function): nothing provides it; mayfly provides wasi_snapshot_preview1 only`},
		{"big-memory", ErrMemory, "starts with 1Gi of linear memory, an instance may have 64Mi: set MAYFLY_MEMORY=1Gi"},
		{"big-table", ErrMalformed, "table section"},
		{"shared-memory", ErrMalformed, "threads"},
		{"no-start", ErrNoStart, "exports no function of that name"},
		{"bad-start", ErrNoStart, "takes or returns values"},
		{"start-traps", ErrStartFunction, "unreachable"},
		{"start-spins", ErrStartFunction, "not done after"},
	} {
		t.Run(c.guest, func(t *testing.T) {
			_, err := r.Load(t.Context(), guests.Wasm(c.guest))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v\nwant %q and %q in it", err, c.want, c.says)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\n\t") {
				t.Errorf("more than a line: %q", err)
			}
		})
	}
}

func TestLoadTakesEveryOtherGuest(t *testing.T) {
	bad := map[string]bool{}
	for _, name := range []string{"empty", "not-wasm", "truncated", "malformed", "component", "unknown-import", "big-memory", "big-table",
		"shared-memory", "no-start", "bad-start", "start-traps", "start-spins"} {
		bad[name] = true
	}
	r := newTestRuntime(t, Limits{})
	for _, name := range guests.Names() {
		if bad[name] {
			continue
		}
		if _, err := r.Load(t.Context(), guests.Wasm(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAGuestCannotImportWhatTheWeavingAdds(t *testing.T) {
	// (module (import "mayfly" "yield" (func)) (memory (export "memory") 1) (func (export "_start")))
	wasm := "\x00asm\x01\x00\x00\x00" + "\x01\x04\x01\x60\x00\x00" + "\x02\x10\x01\x06mayfly\x05yield\x00\x00" + "\x03\x02\x01\x00" +
		"\x05\x03\x01\x00\x01" + "\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x01" + "\x0a\x04\x01\x02\x00\x0b"
	_, err := newTestRuntime(t, Limits{}).Load(t.Context(), []byte(wasm))
	if !errors.Is(err, ErrImport) || !strings.Contains(err.Error(), `"mayfly"."yield"`) {
		t.Errorf("%v", err)
	}
}

func TestLoadStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := newTestRuntime(t, Limits{}).Load(ctx, guests.Wasm("start-spins"))
	if !errors.Is(err, ErrStopped) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
