package abi

import (
	"errors"
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

func TestHandleTable(t *testing.T) {
	rt := &types.Resource{Name: "r", Owner: 1}
	other := &types.Resource{Name: "other", Owner: 1}
	var inst ComponentInstance
	inst.Init(1, nil)
	add := func(rep, want uint32) {
		t.Helper()
		if i, err := CanonResourceNew(&inst, rt, rep); err != nil || i != want {
			t.Fatalf("resource.new: index %d, %v; want %d", i, err, want)
		}
	}
	drop := func(i, want uint32) {
		t.Helper()
		v, own, err := CanonResourceDrop(&inst, rt, i)
		if err != nil || !own || v.Rep() != want {
			t.Fatalf("resource.drop %d: %d, own %t, %v", i, v.Rep(), own, err)
		}
	}
	add(100, 1)
	add(200, 2)
	add(300, 3)
	drop(2, 200)
	add(400, 2)
	drop(1, 100)
	drop(2, 400)
	drop(3, 300)
	add(500, 3) // the index that was freed last is the next
	add(600, 2)
	add(700, 1)
	add(800, 4)
	if rep, err := CanonResourceRep(&inst, rt, 2); err != nil || rep != 600 {
		t.Errorf("resource.rep: %d, %v", rep, err)
	}
	for _, i := range []uint32{0, 5, 0xffffffff} {
		_, err := CanonResourceRep(&inst, rt, i)
		wantTrap(t, err, "unknown handle index")
		_, _, err = CanonResourceDrop(&inst, rt, i)
		wantTrap(t, err, "unknown handle index")
	}
	_, err := CanonResourceRep(&inst, other, 1)
	wantTrap(t, err, "handle index 1 used with the wrong type, expected resource other but found resource r")
	_, _, err = CanonResourceDrop(&inst, other, 1)
	wantTrap(t, err, "wrong type")
	drop(1, 700)
	_, _, err = CanonResourceDrop(&inst, rt, 1)
	wantTrap(t, err, "unknown handle index 1")
}

func TestHandleTableIsBounded(t *testing.T) {
	rt := &types.Resource{Owner: 1}
	var inst, inner ComponentInstance
	inst.Init(1, nil)
	inner.Init(2, &inst)
	for n := range maxHandles {
		of := &inst
		if n%2 == 0 {
			of = &inner // an instance gets no more by being made of many
		}
		if _, err := CanonResourceNew(of, rt, 1); err != nil {
			t.Fatal(err)
		}
	}
	_, err := CanonResourceNew(&inst, rt, 1)
	wantTrap(t, err, "more than 65536 handles")
	_, err = CanonResourceNew(&inner, rt, 1)
	wantTrap(t, err, "more than 65536 handles")
	if _, _, err := CanonResourceDrop(&inst, rt, 1); err != nil {
		t.Fatal(err)
	}
	if i, err := CanonResourceNew(&inst, rt, 1); i != 1 || err != nil {
		t.Errorf("one that was dropped makes room: handle %d, %v", i, err)
	}
}

// taker is a host function that takes one argument.
func taker(f func(Value)) hostFunc {
	return func(args []Value) (Value, error) {
		f(args[0])
		return Value{}, nil
	}
}

func TestOwnHandle(t *testing.T) {
	rt := &types.Resource{Name: "file"}
	take := function(nil, own(rt))
	make := function(own(rt))
	g := newGuest(1, UTF8, 0)
	file := new(int)

	stack, err := g.lower(make, func([]Value) (Value, error) { return Resource(file), nil })
	if err != nil || stack[0] != 1 {
		t.Fatal(stack, err)
	}
	var got any
	if _, err := g.lower(take, taker(func(v Value) { got = v.Resource() }), stack[0]); err != nil || got != file {
		t.Fatal(got, err)
	}
	_, err = g.lower(take, taker(func(Value) {}), 1)
	wantTrap(t, err, "unknown handle index 1")

	t.Run("the same handle cannot be given twice", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		_, _ = g.lower(make, func([]Value) (Value, error) { return Resource(file), nil })
		_, err := g.lower(function(nil, own(rt), own(rt)), taker(func(Value) {}), 1, 1)
		wantTrap(t, err, "unknown handle index 1")
	})
	t.Run("a borrowed handle cannot be given away", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		_, err := g.lift(function(nil, borrow(rt)), func(stack []uint64) error {
			_, err := g.lower(take, taker(func(Value) {}), stack[0])
			return err
		}, Resource(file))
		wantTrap(t, err, "expected an own handle but found a borrow handle")
	})
	t.Run("a handle that is lent cannot be given away", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		_, _ = g.lower(make, func([]Value) (Value, error) { return Resource(file), nil })
		_, err := g.lower(function(nil, borrow(rt), own(rt)), taker(func(Value) {}), 1, 1)
		wantTrap(t, err, "handle index 1: cannot remove owned resource while borrowed")
	})
	t.Run("the host must not give nothing", func(t *testing.T) {
		_, err := newGuest(1, UTF8, 0).lower(make, func([]Value) (Value, error) { return Value{}, nil })
		wantHostError(t, err, "represents nothing")
	})
}

func TestBorrowHandle(t *testing.T) {
	rt := &types.Resource{Name: "file"}
	file := new(int)
	lend := function(nil, borrow(rt))

	t.Run("is of use until the call returns, by when it must be dropped", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		_, err := g.lift(lend, func(stack []uint64) error {
			var got any
			if _, err := g.lower(lend, taker(func(v Value) { got = v.Resource() }), stack[0]); err != nil || got != file {
				t.Error(got, err)
			}
			_, own, err := CanonResourceDrop(&g.ComponentInstance, rt, uint32(stack[0]))
			if own {
				t.Error("a borrow handle is no own handle")
			}
			return err
		}, Resource(file))
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("traps if it is held at return", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		_, err := g.lift(lend, func([]uint64) error { return nil }, Resource(file))
		wantTrap(t, err, "borrow handles still remain at the end of the call: 1")
	})
	t.Run("cannot be dropped while it is lent on", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		_, err := g.lift(lend, func(stack []uint64) error {
			_, err := g.lower(lend, func([]Value) (Value, error) {
				_, _, err := CanonResourceDrop(&g.ComponentInstance, rt, uint32(stack[0]))
				return Value{}, err
			}, stack[0])
			return err
		}, Resource(file))
		wantTrap(t, err, "cannot remove owned resource while borrowed")
	})
	t.Run("is given back when the call that it was lent to returns", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		stack, _ := g.lower(function(own(rt)), func([]Value) (Value, error) { return Resource(file), nil })
		for range 3 {
			if _, err := g.lower(function(nil, borrow(rt), borrow(rt)), taker(func(Value) {}), stack[0], stack[0]); err != nil {
				t.Fatal(err)
			}
		}
		if _, own, err := CanonResourceDrop(&g.ComponentInstance, rt, uint32(stack[0])); err != nil || !own {
			t.Error(own, err)
		}
	})
	t.Run("is what represents the resource, to the component that defines it", func(t *testing.T) {
		mine := &types.Resource{Owner: 1}
		g := newGuest(1, UTF8, 0)
		_, err := g.lift(function(nil, borrow(mine)), func(stack []uint64) error {
			if stack[0] != 77 {
				t.Errorf("%d", stack[0])
			}
			return nil
		}, GuestResource(77))
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("is a handle to any other component", func(t *testing.T) {
		theirs := &types.Resource{Owner: 2}
		g := newGuest(1, UTF8, 0)
		_, err := g.lift(function(nil, borrow(theirs)), func(stack []uint64) error {
			v, own, err := CanonResourceDrop(&g.ComponentInstance, theirs, uint32(stack[0]))
			if own || v.Rep() != 77 {
				t.Error(own, v.Rep())
			}
			return err
		}, GuestResource(77))
		if err != nil {
			t.Error(err)
		}
	})
}

func TestDestructor(t *testing.T) {
	var impl, user ComponentInstance
	impl.Init(1, nil)
	user.Init(2, nil)
	got := uint64(0)
	dtor := coreFunc(func(stack []uint64) error { got = stack[0]; return nil })
	if err := CallDestructor(&impl, dtor, 9, &user); err != nil || got != 9 {
		t.Error(got, err)
	}
	for name, d := range map[string]CoreFunc{"with a destructor": dtor, "without one": nil} {
		t.Run("cannot enter an instance that is not back, "+name, func(t *testing.T) {
			impl.Init(1, nil)
			impl.enterFrom(nil)
			wantTrap(t, CallDestructor(&impl, d, 9, &user), "cannot enter component instance")
		})
		t.Run("may run in an instance that drops its own resource, "+name, func(t *testing.T) {
			impl.Init(1, nil)
			impl.enterFrom(nil)
			if err := CallDestructor(&impl, d, 9, &impl); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCloseFindsEveryOwnedResource(t *testing.T) {
	rt := &types.Resource{Name: "file"}
	a, b, c := new(int), new(int), new(int)
	newOwner := func() *guest {
		g := newGuest(1, UTF8, 256)
		for _, r := range []any{a, b, c} {
			if _, err := g.lower(function(own(rt)), func([]Value) (Value, error) { return Resource(r), nil }); err != nil {
				t.Fatal(err)
			}
		}
		return g
	}
	files := func(g *guest) []any {
		var got []any
		g.Close(func(r *types.Resource, v Value) {
			if r != rt {
				t.Error("of another type")
			}
			got = append(got, v.Resource())
		})
		g.Close(func(*types.Resource, Value) { t.Error("dropped twice") })
		return got
	}
	want := func(t *testing.T, got []any, want ...any) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%d resources, want %d", len(got), len(want))
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Error("one is missing")
			}
		}
	}
	pair := tupleOf(own(rt), prim(types.String), own(rt))
	t.Run("in the table, the latest first", func(t *testing.T) {
		if got := files(newOwner()); !slices.Equal(got, []any{c, b, a}) {
			t.Errorf("%d resources, in another order", len(got))
		}
	})
	t.Run("not a borrow handle", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		_, _ = g.lift(function(nil, borrow(rt)), func([]uint64) error { return nil }, Resource(a))
		want(t, files(g))
	})
	t.Run("lifted before the call failed", func(t *testing.T) {
		g := newOwner()
		_, err := g.lower(function(nil, own(rt), prim(types.Char)), taker(func(Value) {}), 2, 0xd800)
		wantTrap(t, err, "invalid char")
		want(t, files(g), a, b, c)
	})
	t.Run("not what the host has taken", func(t *testing.T) {
		g := newOwner()
		_, err := g.lower(function(nil, own(rt)), func([]Value) (Value, error) { return Value{}, errors.New("broken") }, 2)
		if err == nil {
			t.Error("no error")
		}
		want(t, files(g), a, c)
	})
	t.Run("given by the host, and the result did not fit in memory", func(t *testing.T) {
		g := newGuest(1, UTF8, 256)
		_, err := g.lower(function(pair), func([]Value) (Value, error) { return Tuple(Resource(a), String("x"), Resource(b)), nil }, 1<<20)
		wantTrap(t, err, "out-of-bounds")
		want(t, files(g), a, b)
	})
	t.Run("given by the host, and lowering stopped half-way", func(t *testing.T) {
		g := newGuest(1, UTF8, 256)
		nested := resultOf(optionOf(listOf(pair)), nil)
		_, err := g.lower(function(nested), func([]Value) (Value, error) {
			return OK(Some(List(Tuple(Resource(a), String("x"), Resource(b)), Tuple(Resource(c), Value{}, Resource(a))))), nil
		}, 128)
		wantHostError(t, err, "a string is needed")
		want(t, files(g), a, b, c, a)
	})
	t.Run("returned by the guest that still holds a borrow handle", func(t *testing.T) {
		g := newOwner()
		_, err := g.lift(function(own(rt), borrow(rt)), func(stack []uint64) error { stack[0] = 2; return nil }, Resource(c))
		wantTrap(t, err, "borrow handles still remain")
		want(t, files(g), a, b, c)
	})
	t.Run("an instance can be used again", func(t *testing.T) {
		g := newOwner()
		want(t, files(g), a, b, c)
		g.Init(1, nil)
		stack, err := g.lower(function(own(rt)), func([]Value) (Value, error) { return Resource(b), nil })
		if err != nil || stack[0] != 1 {
			t.Error(stack, err)
		}
		want(t, files(g), b)
	})
}
