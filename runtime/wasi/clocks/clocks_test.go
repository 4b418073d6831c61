package clocks

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func TestMain(m *testing.M) { leak.Main(m) }

func call(t *testing.T, p component.Package, name, function string, args ...component.Value) component.Value {
	t.Helper()
	v, err := p.Interfaces[name].Funcs[function](nil, args)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Package()
		monotonic := func(function string, args ...component.Value) component.Value {
			return call(t, p, "monotonic-clock", function, args...)
		}
		subscribe := func(function string, n uint64) wasiio.Pollable {
			return monotonic(function, abi.U64(n)).Resource().(wasiio.Pollable)
		}
		before := monotonic("now").U64()
		time.Sleep(time.Second)
		if got := monotonic("now").U64() - before; got != 1e9 {
			t.Errorf("a second has %d ns", got)
		}
		now := time.Now()
		wall := call(t, p, "wall-clock", "now")
		if wall.Field(0).U64() != uint64(now.Unix()) || wall.Field(1).U32() != uint32(now.Nanosecond()) {
			t.Errorf("it is %d.%d, want %v", wall.Field(0).U64(), wall.Field(1).U32(), now)
		}
		if monotonic("resolution").U64() != 1 || call(t, p, "wall-clock", "resolution").Field(1).U32() != 1 {
			t.Error("the resolutions are not 1 ns")
		}

		for what, timer := range map[string]wasiio.Pollable{
			"an instant that has passed": subscribe("subscribe-instant", 0),
			"no duration":                subscribe("subscribe-duration", 0),
		} {
			woken := false
			timer.Watch(func() { woken = true })()
			if !timer.Ready() || !woken {
				t.Errorf("%s is not ready", what)
			}
		}
		for what, subscribed := range map[string]func() wasiio.Pollable{
			"an instant": func() wasiio.Pollable { return subscribe("subscribe-instant", monotonic("now").U64()+5e9) },
			"a duration": func() wasiio.Pollable { return subscribe("subscribe-duration", 5e9) },
		} {
			timer := subscribed()
			if timer.Ready() {
				t.Errorf("%s is ready too early", what)
			}
			began, woken := time.Now(), make(chan time.Time, 1)
			stop := timer.Watch(func() { woken <- time.Now() })
			if waited := (<-woken).Sub(began); waited > 5*time.Second || !timer.Ready() {
				t.Errorf("%s woke after %v, ready: %v", what, waited, timer.Ready())
			}
			stop()
		}
		for what, timer := range map[string]wasiio.Pollable{
			"the last instant": subscribe("subscribe-instant", math.MaxUint64),
			"the end of time":  subscribe("subscribe-duration", math.MaxUint64),
		} {
			stop := timer.Watch(func() { t.Errorf("%s came", what) })
			if timer.Ready() {
				t.Errorf("%s is ready", what)
			}
			stop()
		}
	})
}
