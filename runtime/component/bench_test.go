package component_test

import (
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// BenchmarkFreshInstance is a request's worth of a small component: an instance of its two core modules, one call that calls the host,
// and the end.
func BenchmarkFreshInstance(b *testing.B) {
	c := load(b, "greet", logHost(b))
	greet := function(b, c, "test:greet/api@1.0.0", "greet")
	state := &lines{}
	b.ReportAllocs()
	for b.Loop() {
		i, err := c.Instantiate(b.Context(), state)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := i.Call(b.Context(), greet, abi.String("mayfly")); err != nil {
			b.Fatal(err)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
		state.said = state.said[:0]
	}
}

// BenchmarkCall is a call of an instance that is there, which calls the host.
func BenchmarkCall(b *testing.B) {
	c := load(b, "greet", logHost(b))
	posts := function(b, c, "test:greet/api@1.0.0", "posts")
	i := instantiate(b, c, &lines{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Call(b.Context(), posts); err != nil {
			b.Fatal(err)
		}
	}
}
