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
