package wasihttp

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

func TestALibraryIsCalled(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		guest, iface, name string
		args               []component.Value
		check              func(component.Value) bool
		printed            string
	}{
		{"words", "mayfly:guests/words", "chars", []component.Value{abi.String("ab")}, func(v component.Value) bool { return len(v.List()) == 2 }, ""},
		{"command", "wasi:cli/run@0.2.0", "run", nil, func(v component.Value) bool { _, ok := v.OK(); return ok }, "hello\n"},
	} {
		d, err := component.Read(guests.Component(t, c.guest))
		if err != nil {
			t.Fatal(err)
		}
		l, err := LoadLibrary(ctx, d, Options{Sidecar: config.Sidecar{Memory: 16 << 20}, Args: []string{c.guest}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		v, err := l.Call(ctx, c.iface, c.name, c.args, strings.NewReader(""), &stdout, &stderr)
		if err != nil || !c.check(v) || stdout.String() != c.printed {
			t.Errorf("%s: %v, printed %q and %q", c.name, err, stdout.String(), stderr.String())
		}
		if _, err := l.Call(ctx, c.iface, "nobody", nil, strings.NewReader(""), &stdout, &stderr); !errors.Is(err, component.ErrExport) {
			t.Errorf("a function that is not there: %v, want ErrExport", err)
		}
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
