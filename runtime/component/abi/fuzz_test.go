package abi

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// FuzzLift lifts whatever is in a guest's memory, as random types. It must not panic; and what it lifts must be what another guest
// can be given, and have the value that it is lifted with from there.
func FuzzLift(f *testing.F) {
	f.Add(uint64(1), uint8(0), []byte{}, []byte{})
	f.Add(uint64(2), uint8(1), []byte{0, 0, 0, 0, 8, 0, 0, 0}, []byte("abcdefghijklmnopqrstuvwxyz"))
	f.Add(uint64(3), uint8(2), []byte{8, 0, 0, 0, 3, 0, 0, 0x80}, make([]byte, 300))
	f.Fuzz(func(t *testing.T, seed uint64, encoding uint8, flat, memory []byte) {
		rts := []*types.Resource{{Name: "mine", Owner: 1}, {Name: "others", Owner: 2}}
		r := random{Rand: rand.New(rand.NewPCG(seed, 0)), resources: rts}
		ft := mustFunc(function(nil, r.types(1+r.IntN(4), 4, 2)...))
		g := newGuest(1, Encoding(encoding%3), 0)
		g.memory = memory[:min(len(memory), 1<<12)] // a list in a list grows with the square
		for i := range uint32(6) {
			_, _ = g.handles.add(ResourceHandle{rt: rts[i%2], rep: GuestResource(i), own: i > 1})
		}
		stack := make([]uint64, MaxFlatParams+1)
		for i := range stack {
			if len(flat) >= 4*i+4 {
				stack[i] = uint64(binary.LittleEndian.Uint32(flat[4*i:]))
			}
		}
		s := g.newSubtask(ft, g.options(), g, stack)
		args, err := s.Start()
		if err != nil {
			return
		}
		checkRoundTrip(t, ft, args, Encoding(encoding/3%3))
	})
}

// FuzzRoundTrip lowers random values of random types, and lifts them again.
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, encoding uint8) {
		r := random{Rand: rand.New(rand.NewPCG(seed, 1)), source: func() source { return source(encoding / 3 % 4) }}
		ts := r.types(1+r.IntN(4), 5, 2)
		args := make([]Value, len(ts))
		for i := range ts {
			args[i] = r.value(ts[i])
		}
		checkRoundTrip(t, mustFunc(function(nil, ts...)), args, Encoding(encoding%3))
	})
}

func checkRoundTrip(t *testing.T, ft *FuncType, args []Value, encoding Encoding) {
	t.Helper()
	g := newGuest(3, encoding, 1<<18)
	task := g.newTask(g.options(), g)
	if err := task.lowerParams(ft, args, task.stack[:]); errors.Is(err, errOutOfMemory) {
		return
	} else if err != nil {
		t.Fatal(err)
	}
	got, err := g.newSubtask(ft, g.options(), g, task.stack[:]).Start()
	if err != nil {
		t.Fatal(err)
	}
	for i := range args {
		if !got[i].Equal(args[i]) {
			t.Fatalf("parameter %d, a %s: %+v, want %+v", i, ft.typ.Params[i].Type.Kind, got[i], args[i])
		}
	}
}
