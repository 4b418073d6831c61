package instance

import (
	"bytes"
	"context"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

// BenchmarkFreshInstance asks what one request costs without HTTP: instantiate, run, close.
func BenchmarkFreshInstance(b *testing.B) {
	for _, guest := range []string{"hello", "echo", "counter"} {
		b.Run(guest, func(b *testing.B) {
			r, err := NewRuntime(context.Background(), Limits{Memory: 64 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close(context.Background())
			m, err := r.Load(context.Background(), guests.Wasm(guest))
			if err != nil {
				b.Fatal(err)
			}
			var out bytes.Buffer
			c := Call{Args: []string{guest}, Env: []string{"REQUEST_METHOD=GET", "PATH_INFO=/", "SERVER_PROTOCOL=HTTP/1.1"}, Stdout: &out}
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				i, err := m.Instantiate(context.Background(), c)
				if err != nil {
					b.Fatal(err)
				}
				if err := i.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
				if err := i.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEndlessRecursion asks what a guest costs that fills its call stack.
func BenchmarkEndlessRecursion(b *testing.B) {
	r, err := NewRuntime(context.Background(), Limits{Memory: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close(context.Background())
	m, err := r.Load(context.Background(), guests.Wasm("recurse"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = run(b, context.Background(), m, Call{})
	}
}

// BenchmarkFreshGroup asks what one call costs without what it is about: three parts as C's tools make them, one call that goes
// through all of them to the host and back into the guest for memory.
func BenchmarkFreshGroup(b *testing.B) {
	r, err := NewRuntime(context.Background(), Limits{Memory: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close(context.Background())
	stack, inner := make([]uint64, 4), make([]uint64, 4)
	var run, realloc *Function
	spec := cLike(b, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
		inner[3] = 16
		return realloc.Call(ctx, i, inner)
	})
	spec.Parts = spec.Parts[:partUser]
	g, err := r.LoadGroup(context.Background(), spec)
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close(context.Background())
	if run, err = g.Function(partMain, "run"); err != nil {
		b.Fatal(err)
	}
	if realloc, err = g.Function(partMain, "realloc"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		i, err := g.Instantiate(context.Background(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := run.Call(context.Background(), i, stack); err != nil {
			b.Fatal(err)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCallsOfAGroup asks what calls cost that an instance makes over and over.
func BenchmarkCallsOfAGroup(b *testing.B) {
	nested := false
	var twice *Function
	i := group(b, Limits{}, cLike(b, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
		if !nested {
			return nil
		}
		return twice.Call(ctx, i, stack)
	}))
	twice = function(b, i, partMain, "twice")
	for _, c := range []struct {
		name   string
		part   int
		export string
		nested bool
	}{
		{"into a part", partMain, "twice", false},
		{"and from there to the host", partMain, "run", false},
		{"and from there back into it", partMain, "run", true},
	} {
		b.Run(c.name, func(b *testing.B) {
			nested = c.nested
			f := function(b, i, c.part, c.export)
			stack := make([]uint64, 2)
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Call(context.Background(), i, stack); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("a thousand from part to part", func(b *testing.B) {
		f := function(b, i, partUser, "often")
		for b.Loop() {
			if err := f.Call(context.Background(), i, []uint64{1000}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
