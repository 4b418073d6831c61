package instance

import (
	"bytes"
	"context"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

func newTestRuntime(t testing.TB, l Limits) *Runtime {
	t.Helper()
	if l.Memory == 0 {
		l.Memory = 64 << 20
	}
	r, err := NewRuntime(context.Background(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if used := r.budget.used.Load(); used != 0 {
			t.Errorf("%d bytes of linear memory are counted after all instances were closed", used)
		}
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func load(t testing.TB, r *Runtime, guest string) *Module {
	t.Helper()
	m, err := r.Load(context.Background(), guests.Wasm(guest))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run runs a guest once in an instance of its own.
func run(t testing.TB, ctx context.Context, m *Module, c Call) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	if c.Stdout == nil {
		c.Stdout = &out
	}
	i, err := m.Instantiate(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	err = i.Run(ctx)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	return out.String(), err
}

func TestAGuestAnswers(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "hello")
	out, err := run(t, t.Context(), m, Call{Args: []string{"hello"}, Env: []string{"REQUEST_METHOD=GET"}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains([]byte(out), []byte("\n")) {
		t.Errorf("answer: %q", out)
	}
}

func TestEveryGoodGuestLoads(t *testing.T) {
	bad := map[string]bool{}
	r := newTestRuntime(t, Limits{})
	for _, name := range guests.Names() {
		t.Run(name, func(t *testing.T) {
			_, err := r.Load(t.Context(), guests.Wasm(name))
			t.Log(err)
			_ = bad
		})
	}
}
