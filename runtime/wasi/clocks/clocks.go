// Package clocks is the host of wasi:clocks: the time of day, and a clock that only goes forwards.
//
// It needs no state. What a guest waits for are timers of Go, which stop when it stops waiting.
package clocks

import (
	_ "embed"
	"math"
	"time"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

//go:embed clocks.wit
var declarations string

// Package is wasi:clocks. The monotonic clock is the same for all guests of the package, and began when it was made.
func Package() component.Package {
	m := &monotonic{began: time.Now()}
	return component.Package{
		WIT: declarations,
		Interfaces: map[string]component.Interface{
			"monotonic-clock": {Funcs: map[string]component.HostFunc{
				"now":                m.instant,
				"resolution":         m.resolution,
				"subscribe-instant":  m.subscribeInstant,
				"subscribe-duration": m.subscribeDuration,
			}},
			"wall-clock": {Funcs: map[string]component.HostFunc{
				"now":        wallNow,
				"resolution": wallResolution,
			}},
		},
	}
}

// monotonic counts nanoseconds.
type monotonic struct{ began time.Time }

func (m *monotonic) now() uint64 { return uint64(time.Since(m.began)) }

// instant is wasi:clocks/monotonic-clock.now.
func (m *monotonic) instant(*component.Call, []component.Value) (component.Value, error) {
	return abi.U64(m.now()), nil
}

// resolution is wasi:clocks/monotonic-clock.resolution.
func (m *monotonic) resolution(*component.Call, []component.Value) (component.Value, error) {
	return abi.U64(1), nil
}

// subscribeInstant is wasi:clocks/monotonic-clock.subscribe-instant.
func (m *monotonic) subscribeInstant(_ *component.Call, args []component.Value) (component.Value, error) {
	return wasiio.NewPollable(&timer{m, args[0].U64()}), nil
}

// subscribeDuration is wasi:clocks/monotonic-clock.subscribe-duration.
func (m *monotonic) subscribeDuration(_ *component.Call, args []component.Value) (component.Value, error) {
	at := m.now() + args[0].U64()
	if at < args[0].U64() {
		at = math.MaxUint64
	}
	return wasiio.NewPollable(&timer{m, at}), nil
}

// timer is a pollable that is ready from an instant on. Nothing runs for it but while it is watched.
type timer struct {
	clock *monotonic
	at    uint64
}

// Ready implements wasiio.Pollable.
func (t *timer) Ready() bool { return t.clock.now() >= t.at }

// Watch implements wasiio.Pollable.
func (t *timer) Watch(wake func()) (stop func()) {
	now := t.clock.now()
	if now >= t.at {
		wake()
		return func() {}
	}
	// What is later than 292 years from now is woken too early, which does no harm.
	after := time.AfterFunc(time.Duration(min(t.at-now, math.MaxInt64)), wake)
	return func() { after.Stop() }
}

func datetime(seconds uint64, nanoseconds uint32) component.Value {
	return abi.Record(abi.U64(seconds), abi.U32(nanoseconds))
}

// wallNow is wasi:clocks/wall-clock.now.
func wallNow(*component.Call, []component.Value) (component.Value, error) {
	now := time.Now()
	return datetime(uint64(max(now.Unix(), 0)), uint32(now.Nanosecond())), nil
}

// wallResolution is wasi:clocks/wall-clock.resolution.
func wallResolution(*component.Call, []component.Value) (component.Value, error) {
	return datetime(0, 1), nil
}
