//go:build !race

package instance

import (
	"context"
	"io"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

// What an instance allocates is what collections are made of, which hold up all others: these numbers only go down.
func TestAFreshInstanceAllocatesLittle(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	check := func(t *testing.T, most float64, once func() error) {
		allocations := testing.AllocsPerRun(200, func() {
			if err := once(); err != nil {
				t.Fatal(err)
			}
		})
		if t.Logf("%.0f allocations", allocations); allocations > most {
			t.Errorf("%.0f allocations; there were no more than %.0f", allocations, most)
		}
	}
	t.Run("of a module", func(t *testing.T) {
		m, err := r.Load(t.Context(), guests.Wasm("hello"))
		if err != nil {
			t.Fatal(err)
		}
		c := Call{Args: []string{"hello"}, Env: []string{"REQUEST_METHOD=GET"}, Stdout: io.Discard}
		check(t, 20, func() error {
			i, err := m.Instantiate(t.Context(), c)
			if err != nil {
				return err
			}
			if err := i.Run(t.Context()); err != nil {
				return err
			}
			return i.Close()
		})
	})
	t.Run("of a group", func(t *testing.T) {
		var realloc *Function
		inner := make([]uint64, 4)
		g := loadGroup(t, r, cLike(t, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			return realloc.Call(ctx, i, inner)
		}), nil)
		run, err := g.Function(partMain, "run")
		if err != nil {
			t.Fatal(err)
		}
		if realloc, err = g.Function(partMain, "realloc"); err != nil {
			t.Fatal(err)
		}
		stack := make([]uint64, 4)
		check(t, 96, func() error {
			i, err := g.Instantiate(t.Context(), nil)
			if err != nil {
				return err
			}
			if err := run.Call(t.Context(), i, stack); err != nil {
				return err
			}
			return i.Close()
		})
	})
	t.Run("of what calls", func(t *testing.T) {
		i := group(t, Limits{}, cLike(t, nothing))
		f := function(t, i, partMain, "run")
		stack := make([]uint64, 2)
		check(t, 0, func() error { return f.Call(t.Context(), i, stack) })
	})
}
