package instance

import (
	"context"
	"errors"
	"testing"
)

func TestEnginesAreKeptForOtherInstances(t *testing.T) {
	g := loadGroup(t, newTestRuntime(t, Limits{}), cLike(t, nothing), nil)
	one, other := instantiateGroup(t, g, nil), instantiateGroup(t, g, nil)
	e := &engines{}
	kept := e.take(one.cores[partMain], "grow", 0)
	if kept.home == nil {
		t.Fatal("wazero's engine is not what it was: look at what of it belongs to an instance, and change movable")
	}
	grow := func(i *GroupInstance) uint64 {
		stack := []uint64{1}
		i.begin(t.Context())
		i.call.Context = t.Context()
		if err := kept.function.CallWithStack(&i.call, stack); err != nil {
			t.Fatal(err)
		}
		return stack[0]
	}
	if n := grow(one); n != 1 {
		t.Errorf("it had %d pages", n)
	}
	if n := grow(one); n != 2 {
		t.Errorf("it had %d pages", n)
	}
	*kept.home = wordAt(other.cores[partMain], kept.word)
	if n := grow(other); n != 1 || one.Size() != 3*pageSize || other.Size() != 2*pageSize {
		t.Errorf("it had %d pages, now the one has %d bytes and the other %d", n, one.Size(), other.Size())
	}
	// What a trap says of where it happened, and whether a module has been closed, is of the other instance too.
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	grow(other)
	if err := other.cores[partMain].CloseWithExitCode(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if err := kept.function.CallWithStack(&other.call, []uint64{1}); err == nil {
		t.Error("it runs what is closed")
	}
	e.give(kept)
	if *kept.home != nil {
		t.Error("an engine that is kept has an instance")
	}
}

func TestAnEngineIsNotKept(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	for _, c := range []struct {
		name   string
		host   call
		export string
		trap   bool
	}{
		{"after a trap", func(_ context.Context, _ *GroupInstance, _ []uint64) error { return errors.New("no") }, "run", true},
		{"when its stack is large", nothing, "deep", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := loadGroup(t, r, cLike(t, c.host), nil)
			i := instantiateGroup(t, g, nil)
			f := function(t, i, partMain, c.export)
			if err := f.Call(t.Context(), i, []uint64{5000, 0}); (err != nil) != c.trap {
				t.Fatal(err)
			}
			if e := f.engines.pool.Get(); e != nil {
				t.Error("it is")
			}
		})
	}
}

func TestAFunctionThatAPartHasFromAnotherStaysWhereItIs(t *testing.T) {
	i := group(t, Limits{}, cLike(t, nothing))
	for _, export := range []string{"twice", "call"} { // main's, and the host's
		if e := (&engines{}).take(i.cores[partUser], export, 0); e == nil || e.home != nil {
			t.Errorf("%s: %+v", export, e)
		}
	}
	want(t, i, 14, partUser, "twice", 7)
	want(t, i, 14, partUser, "twice", 7)
}
