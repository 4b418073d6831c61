package abi

import (
	"errors"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// lower calls a host function as a guest does.
func (g *guest) lower(t *types.Func, f hostFunc, stack ...uint64) ([]uint64, error) {
	stack = append(stack, 0)
	err := CanonLower(mustFunc(t), g.options(), g, &g.ComponentInstance, f, stack)
	return stack, err
}

// lift calls a guest's function as the host does.
func (g *guest) lift(t *types.Func, f coreFunc, args ...Value) (Value, error) {
	c := &hostCall{args: args}
	err := CanonLift(mustFunc(t), g.options(), g, &g.ComponentInstance, f, nil, c)
	return c.result, err
}

func wantTrap(t *testing.T, err error, reason string) {
	t.Helper()
	var trap *Trap
	if !errors.As(err, &trap) {
		t.Fatalf("error %v, want a trap", err)
	}
	if !strings.Contains(trap.Reason, reason) {
		t.Fatalf("trap %q, want %q in it", trap.Reason, reason)
	}
}

func wantHostError(t *testing.T, err error, reason string) {
	t.Helper()
	var host *HostError
	if !errors.As(err, &host) {
		t.Fatalf("error %v, want one of the host", err)
	}
	if !strings.Contains(host.Reason, reason) {
		t.Fatalf("error %q, want %q in it", host.Reason, reason)
	}
}

func TestCallOfHostFunction(t *testing.T) {
	g := newGuest(1, UTF8, 256)
	copy(g.memory[64:], "hello")
	add := function(prim(types.U32), prim(types.U32), prim(types.U32))
	greet := function(prim(types.String), prim(types.String))

	stack, err := g.lower(add, func(args []Value) (Value, error) { return U32(args[0].U32() + args[1].U32()), nil }, 2, 3)
	if err != nil || stack[0] != 5 {
		t.Fatalf("2 + 3: %v, %v", stack, err)
	}

	const retptr = 128
	_, err = g.lower(greet, func(args []Value) (Value, error) { return String(args[0].String() + "!"), nil }, 64, 5, retptr)
	if err != nil {
		t.Fatal(err)
	}
	v := g.loadAt(t, prim(types.String), retptr)
	if v.String() != "hello!" {
		t.Errorf("result %q", v.String())
	}

	t.Run("an error of the host is the caller's", func(t *testing.T) {
		broken := errors.New("broken")
		_, err := g.lower(add, func([]Value) (Value, error) { return Value{}, broken }, 2, 3)
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	})
	t.Run("a result of another type is a mistake of the host", func(t *testing.T) {
		_, err := g.lower(add, func([]Value) (Value, error) { return String("5"), nil }, 2, 3)
		wantHostError(t, err, "a string where the type is u32")
	})
	t.Run("an address for the result that is not aligned traps", func(t *testing.T) {
		_, err := g.lower(greet, func([]Value) (Value, error) { return String("x"), nil }, 64, 5, retptr+1)
		wantTrap(t, err, "unaligned pointer 0x81")
	})
	t.Run("an address for the result outside of memory traps", func(t *testing.T) {
		_, err := g.lower(greet, func([]Value) (Value, error) { return String("x"), nil }, 64, 5, 252)
		wantTrap(t, err, "value content out-of-bounds: 0xfc + 8 bytes, and memory has 256")
	})
}

// loadAt lifts what is in the guest's memory.
func (g *guest) loadAt(t *testing.T, typ *types.Type, ptr uint32) Value {
	t.Helper()
	l, err := layouts{}.of(typ, 0)
	if err != nil {
		t.Fatal(err)
	}
	task := g.newTask(g.options(), g)
	task.beginLift(0)
	v, err := task.load(ptr, l)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestHostMustAnswerACall(t *testing.T) {
	g := newGuest(1, UTF8, 0)
	ft := mustFunc(function(nil))
	for _, c := range []struct {
		name string
		f    funcInst
		want string
	}{
		{"neither arguments nor result", func(Caller) error { return nil }, "returned without a result"},
		{"no result", func(c Caller) error { _, err := c.Start(); return err }, "returned without a result"},
		{"result before arguments", func(c Caller) error { return c.Resolve(Value{}) }, "before its arguments"},
		{"arguments twice", func(c Caller) error { _, _ = c.Start(); _, err := c.Start(); return err }, "taken twice"},
		{"result twice", func(c Caller) error { _, _ = c.Start(); _ = c.Resolve(Value{}); return c.Resolve(Value{}) }, "given twice"},
		{"result of a function without", func(c Caller) error { _, _ = c.Start(); return c.Resolve(U32(1)) }, "function that has none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantHostError(t, CanonLower(ft, Options{}, g, &g.ComponentInstance, c.f, nil), c.want)
		})
	}
	t.Run("after the end", func(t *testing.T) {
		var kept Caller
		_ = CanonLower(ft, Options{}, g, &g.ComponentInstance, funcInst(func(c Caller) error {
			kept = c
			_, _ = c.Start()
			return c.Resolve(Value{})
		}), nil)
		_, err := kept.Start()
		wantHostError(t, err, "after its end")
		wantHostError(t, kept.Resolve(Value{}), "given twice")
	})
}

type funcInst func(c Caller) error

func (f funcInst) Invoke(c Caller) error { return f(c) }

func TestCallOfGuestFunction(t *testing.T) {
	g := newGuest(1, UTF8, 256)
	greet := function(prim(types.String), prim(types.String))
	upper := func(stack []uint64) error {
		ptr, n := stack[0], stack[1]
		copy(g.memory[ptr:ptr+n], strings.ToUpper(string(g.memory[ptr:ptr+n])))
		storeInt(g.memory[200:], ptr, 4)
		storeInt(g.memory[204:], n, 4)
		stack[0] = 200
		return nil
	}
	v, err := g.lift(greet, upper, String("hello"))
	if err != nil || v.String() != "HELLO" {
		t.Fatalf("%q, %v", v.String(), err)
	}

	t.Run("post-return gets what the function returned", func(t *testing.T) {
		got := uint64(0)
		post := coreFunc(func(stack []uint64) error { got = stack[0]; return nil })
		c := &hostCall{args: []Value{String("a")}}
		if err := CanonLift(mustFunc(greet), g.options(), g, &g.ComponentInstance, coreFunc(upper), post, c); err != nil || got != 200 {
			t.Errorf("%d, %v", got, err)
		}
	})
	t.Run("post-return must call no imports", func(t *testing.T) {
		g := newGuest(1, UTF8, 0)
		post := coreFunc(func([]uint64) error {
			_, err := g.lower(function(nil), func([]Value) (Value, error) { return Value{}, nil })
			return err
		})
		f := coreFunc(func([]uint64) error { return nil })
		err := CanonLift(mustFunc(function(nil)), g.options(), g, &g.ComponentInstance, f, post, &hostCall{})
		wantTrap(t, err, "cannot leave component instance")
	})
	t.Run("too few arguments are a mistake of the host", func(t *testing.T) {
		_, err := newGuest(1, UTF8, 256).lift(greet, upper)
		wantHostError(t, err, "0 arguments for 1 parameters")
	})
	t.Run("a trap of the guest is the error", func(t *testing.T) {
		g, unreachable := newGuest(1, UTF8, 256), errors.New("unreachable")
		fails := func([]uint64) error { return unreachable }
		if _, err := g.lift(greet, fails, String("hello")); !errors.Is(err, unreachable) {
			t.Error(err)
		}
		_, err := g.lift(greet, upper, String("hello"))
		wantTrap(t, err, "cannot enter component instance")
	})
}

func TestReallocMayCallNoImports(t *testing.T) {
	g := newGuest(1, UTF8, 256)
	core := reallocCalls{g, func() error {
		_, err := g.lower(function(nil), func([]Value) (Value, error) { return Value{}, nil })
		return err
	}}
	err := CanonLift(mustFunc(function(nil, prim(types.String))), Options{}, core, &g.ComponentInstance, coreFunc(nil), nil, &hostCall{args: []Value{String("a")}})
	wantTrap(t, err, "cannot leave component instance")
}

type reallocCalls struct {
	*guest
	f func() error
}

func (r reallocCalls) Realloc(old, oldSize, align, size uint32) (uint32, error) { return 0, r.f() }

func TestReallocIsNotTrusted(t *testing.T) {
	for _, c := range []struct {
		name string
		ptr  uint32
		typ  *types.Type
		v    Value
		want string
	}{
		{"beyond memory", 0xfffffffc, listOf(prim(types.U32)), List(U32(1)), "realloc return content out-of-bounds"},
		{"beyond memory, and nothing to store", 0xfffffffc, listOf(prim(types.U32)), List(), "realloc return content out-of-bounds"},
		{"unaligned", 0xffffffff, listOf(prim(types.U32)), List(U32(1)), "realloc return: unaligned pointer"},
		{"bytes at the edge", 253, listOf(prim(types.U8)), Bytes([]byte("1234")), "realloc return content out-of-bounds"},
		{"string at the edge", 253, prim(types.String), String("1234"), "realloc return content out-of-bounds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(1, UTF8, 256)
			core := reallocReturns{g, c.ptr}
			err := CanonLift(mustFunc(function(nil, c.typ)), Options{}, core, &g.ComponentInstance, coreFunc(nil), nil, &hostCall{args: []Value{c.v}})
			wantTrap(t, err, c.want)
		})
	}
}

type reallocReturns struct {
	*guest
	ptr uint32
}

func (r reallocReturns) Realloc(old, oldSize, align, size uint32) (uint32, error) { return r.ptr, nil }

func TestMemoryMayMoveWhenTheGuestAllocates(t *testing.T) {
	g := newGuest(1, UTF8, 4096)
	typ := recordOf(prim(types.String), listOf(prim(types.String)), prim(types.U32))
	v := Record(String("a"), List(String("b"), String("c")), U32(7))
	ft := mustFunc(function(typ))
	stack := []uint64{256}
	err := CanonLower(ft, Options{}, moving{g}, &g.ComponentInstance, hostFunc(func([]Value) (Value, error) { return v, nil }), stack)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.loadAt(t, typ, 256); !got.Equal(v) {
		t.Error("what was stored before the memory moved is lost")
	}
}

type moving struct{ *guest }

func (m moving) Realloc(old, oldSize, align, size uint32) (uint32, error) {
	ptr, err := m.guest.Realloc(old, oldSize, align, size)
	before := m.memory
	m.memory = append([]byte(nil), before...)
	clear(before)
	return ptr, err
}

func TestReentrance(t *testing.T) {
	var p, c1, c2 guest
	p.Init(1, nil)
	c1.Init(2, &p.ComponentInstance)
	c2.Init(3, &p.ComponentInstance)
	nothing := mustFunc(function(nil))
	enter := func(g *guest, from *guest, then func() error) error {
		c := &hostCall{}
		if from != nil {
			c.from = &from.ComponentInstance
		}
		return CanonLift(nothing, Options{}, g, &g.ComponentInstance, coreFunc(func([]uint64) error {
			if then == nil {
				return nil
			}
			return then()
		}), nil, c)
	}
	again := func() {
		p.Init(1, nil)
		c1.Init(2, &p.ComponentInstance)
		c2.Init(3, &p.ComponentInstance)
	}
	for _, c := range []struct {
		name     string
		from, to *guest
	}{
		{"a parent cannot call its child", &p, &c1},
		{"a child cannot call its parent", &c1, &p},
		{"nobody can call itself", &c1, &c1},
	} {
		t.Run(c.name, func(t *testing.T) {
			again()
			err := enter(c.from, nil, func() error { return enter(c.to, c.from, nil) })
			wantTrap(t, err, "cannot enter component instance")
		})
	}
	t.Run("a child may call another", func(t *testing.T) {
		again()
		if err := enter(&c1, nil, func() error { return enter(&c2, &c1, nil) }); err != nil {
			t.Error(err)
		}
	})
	t.Run("all can be entered when it has returned", func(t *testing.T) {
		for _, g := range []*guest{&c1, &c2, &p} {
			if err := enter(g, nil, nil); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("the host cannot enter a child while its parent runs", func(t *testing.T) {
		p.Init(1, nil)
		c1.Init(2, &p.ComponentInstance)
		err := enter(&p, nil, func() error { return enter(&c1, nil, nil) })
		wantTrap(t, err, "cannot enter component instance")
	})
	t.Run("siblings cannot call each other in a circle", func(t *testing.T) {
		p.Init(1, nil)
		c1.Init(2, &p.ComponentInstance)
		c2.Init(3, &p.ComponentInstance)
		err := enter(&c1, nil, func() error {
			return enter(&c2, &c1, func() error { return enter(&c1, &c2, nil) })
		})
		wantTrap(t, err, "cannot enter component instance")
	})
}

func TestWhatIsPassedOnIsNotKeptUntilTheCalleeReturns(t *testing.T) {
	a, b := newGuest(1, UTF8, 1<<10), newGuest(2, UTF8, 1<<16)
	ft := mustFunc(function(nil, listOf(listOf(prim(types.U32)))))
	err := CanonLower(ft, a.options(), a, &a.ComponentInstance, funcInst(func(c Caller) error {
		return CanonLift(ft, b.options(), b, &b.ComponentInstance, coreFunc(func([]uint64) error {
			if s := c.(*Subtask); s.args[0].ref != nil || s.arena != nil {
				t.Error("the caller's arguments are still there")
			}
			return nil
		}), nil, c)
	}), []uint64{64, 100})
	if err != nil {
		t.Error(err)
	}
}

func TestLargeValuesNeedRoom(t *testing.T) {
	g := newGuest(1, UTF8, 8<<20)
	ft := function(nil, prim(types.String))
	free, taken := 4*freeLift, 0
	g.Count(func(bytes int) bool {
		if taken+bytes > free {
			return false
		}
		taken += bytes
		return true
	})
	for _, tc := range []struct {
		name       string
		size, want int
	}{
		{"a small one needs none", 1000, 0},
		{"one that is somewhat larger", freeLift + 1, freeLift},
		{"a large one", 5*freeLift - 1000, 4 * freeLift},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := g.lower(ft, func([]Value) (Value, error) {
				if taken != tc.want {
					t.Errorf("%d bytes are taken during the call", taken)
				}
				return Value{}, nil
			}, 0, uint64(tc.size))
			if err != nil || taken != 0 {
				t.Errorf("%d bytes are taken after it, %v", taken, err)
			}
		})
	}
	_, err := g.lower(ft, func([]Value) (Value, error) { return Value{}, nil }, 0, 6*freeLift)
	wantTrap(t, err, "there is no memory for them")
}
