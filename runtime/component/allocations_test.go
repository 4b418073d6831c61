//go:build !race

package component_test

import (
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// What an instance allocates is what collections are made of, which hold up all others: this number only goes down.
func TestAFreshInstanceAllocatesLittle(t *testing.T) {
	const most = 40 // nearly all of them wazero's, for two core modules
	c := load(t, "greet", logHost(t))
	greet := function(t, c, "test:greet/api@1.0.0", "greet")
	state := &lines{}
	allocations := testing.AllocsPerRun(200, func() {
		state.said = state.said[:0]
		i, err := c.Instantiate(t.Context(), state)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.Call(t.Context(), greet, abi.String("mayfly")); err != nil {
			t.Fatal(err)
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if t.Logf("%.0f allocations", allocations); allocations > most {
		t.Errorf("%.0f allocations; there were no more than %d", allocations, most)
	}
}
