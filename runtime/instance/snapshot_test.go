package instance

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// memoir is a group whose start function asks the host for a number: each time for the next.
func memoir(t *testing.T, prepare bool) (g *Group, asked *int) {
	t.Helper()
	asked = new(int)
	r := newTestRuntime(t, Limits{})
	if prepare {
		r.PrepareSnapshots()
	}
	host := hostCall(func(_ context.Context, _ *GroupInstance, stack []uint64) error {
		*asked++
		stack[0] = uint64(*asked)
		return nil
	})
	return loadGroup(t, r, GroupSpec{Host: host, Parts: []Part{{Wasm: wasm(t, "memoir"), Imports: []Target{{Part: Host}}},
		{Wasm: wasm(t, "hungry")}}}, nil), asked
}

func nothingHeld() string { return "" }

func TestInstancesBeginWhereASnapshotWasTaken(t *testing.T) {
	g, asked := memoir(t, true)
	const sumOf = 6
	for n, i := range []*GroupInstance{instantiateGroup(t, g, nil), instantiateGroup(t, g, nil)} { // as ever
		want(t, i, uint64(sumOf*(*asked-1+n)+3), 0, "sum")
	}
	if err := g.Snapshot(t.Context(), nil, nothingHeld); err != nil {
		t.Fatal(err)
	}
	at := *asked
	for range 50 {
		i := instantiateGroup(t, g, nil)
		want(t, i, uint64(sumOf*at+3), 0, "sum")
		want(t, i, 2, 1, "grow", 1)
		if i.Size() != 7*pageSize {
			t.Errorf("%d bytes", i.Size())
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if *asked != at {
		t.Error("the start function has run again")
	}
	if g.InitialMemory() != 5*pageSize {
		t.Errorf("an instance begins with %d bytes", g.InitialMemory())
	}
}

func TestASnapshotIsRefused(t *testing.T) {
	const preamble = "\x00asm\x01\x00\x00\x00"
	tables := preamble + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x04\x04\x01\x70\x00\x01\x0a\x0a\x01\x08\x00\x41\x00\xd0\x70\x26\x00\x0b"
	one := func(wasm []byte) GroupSpec { return GroupSpec{Parts: []Part{{Wasm: wasm, Name: "one"}}} }
	held := func() string { return "an open file" }
	for _, c := range []struct {
		name string
		spec GroupSpec
		held func() string
		says string
	}{
		{"of what changes tables", one([]byte(tables)), nothingHeld, `core instance 0, "one": it reads or changes tables`},
		{"of references that can be changed", one([]byte(preamble + "\x06\x06\x01\x70\x01\xd0\x70\x0b")), nothingHeld, "refers to a function"},
		{"of data that comes after a start function", GroupSpec{Parts: []Part{{Wasm: wasm(t, "env")}, {Wasm: wasm(t, "early")},
			{Wasm: wasm(t, "lodger"), Imports: []Target{{Part: 1, Export: "memory"}, {Part: 0, Export: "__memory_base"}}}}}, nothingHeld, "core instance 2"},
		{"while it has something of the host's", one(wasm(t, "hungry")), held, "an open file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTestRuntime(t, Limits{})
			r.PrepareSnapshots()
			g := loadGroup(t, r, c.spec, nil)
			if err := g.Snapshot(t.Context(), nil, c.held); !errors.Is(err, ErrSnapshot) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
			instantiateGroup(t, g, nil) // as ever
		})
	}
}
