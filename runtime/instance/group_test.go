package instance

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// wasm reads a module whose source stands beside it; make -C testdata builds it.
func wasm(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/group/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// call is a function of the host that the test says.
type call func(ctx context.Context, i *GroupInstance, stack []uint64) error

func hostCall(f call) []HostFunc {
	return []HostFunc{{Name: "test:host call", Params: []api.ValueType{api.ValueTypeI32, api.ValueTypeI32},
		Results: []api.ValueType{api.ValueTypeI32}, Call: f}}
}

const (
	partShim = iota
	partMain
	partFixup
	partUser
)

// cLike is a component as C's tools make them, and user, an adapter.
func cLike(t testing.TB, f call) GroupSpec {
	return GroupSpec{
		Host: hostCall(f),
		Parts: []Part{
			partShim:  {Wasm: wasm(t, "shim"), Name: "shim"},
			partMain:  {Wasm: wasm(t, "main"), Name: "main", Imports: []Target{{Part: partShim, Export: "0"}}},
			partFixup: {Wasm: wasm(t, "fixup"), Name: "fixup", Imports: []Target{{Part: Host}, {Part: partShim, Export: "$imports"}}},
			partUser:  {Wasm: wasm(t, "user"), Name: "user", Imports: userImports(partMain)},
		},
	}
}

func userImports(main int) []Target {
	return []Target{{Part: main, Export: "memory"}, {Part: main, Export: "table"}, {Part: main, Export: "sp"}, {Part: main, Export: "twice"},
		{Part: Host}}
}

func loadGroup(t testing.TB, r *Runtime, spec GroupSpec, owner any) *Group {
	t.Helper()
	g, err := r.LoadGroup(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := g.Try(context.Background(), owner); err != nil {
		t.Fatal(err)
	}
	return g
}

func instantiateGroup(t testing.TB, g *Group, owner any) *GroupInstance {
	t.Helper()
	i, err := g.Instantiate(context.Background(), owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(i.Close(), i.Close()); err != nil {
			t.Error(err)
		}
	})
	return i
}

// group loads and instantiates.
func group(t testing.TB, l Limits, spec GroupSpec) *GroupInstance {
	t.Helper()
	return instantiateGroup(t, loadGroup(t, newTestRuntime(t, l), spec, t.Name()), t.Name())
}

func function(t testing.TB, i *GroupInstance, part int, export string) *Function {
	t.Helper()
	f, err := i.group.Function(part, export)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// invoke calls a function and returns its first result.
func invoke(t testing.TB, i *GroupInstance, part int, export string, params ...uint64) (uint64, error) {
	t.Helper()
	stack := make([]uint64, 8)
	copy(stack, params)
	err := function(t, i, part, export).Call(t.Context(), i, stack)
	return stack[0], err
}

func want(t testing.TB, i *GroupInstance, result uint64, part int, export string, params ...uint64) {
	t.Helper()
	if got, err := invoke(t, i, part, export, params...); err != nil || uint32(got) != uint32(result) {
		t.Errorf("%s%v is %d, %v; want %d", export, params, got, err, result)
	}
}

func TestAPartCallsTheHostThroughATableThatIsFilledLater(t *testing.T) {
	var owner any
	i := group(t, Limits{}, cLike(t, func(_ context.Context, i *GroupInstance, stack []uint64) error {
		owner = i.Owner()
		stack[0] = stack[0]*100 + stack[1]
		return nil
	}))
	want(t, i, 305, partMain, "run", 3, 4)
	if owner != t.Name() {
		t.Errorf("the owner is %v", owner)
	}
}

func TestTheHostMayCallTheGuestAgain(t *testing.T) {
	i := group(t, Limits{}, cLike(t, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
		if stack[0] == 0 { // the innermost: new memory for what it answers
			m, err := i.group.Memory(partMain, "memory")
			if err != nil {
				return err
			}
			f, err := i.group.Function(partMain, "realloc")
			if err != nil {
				return err
			}
			s := []uint64{0, 0, 1, 6}
			if err := f.Call(ctx, i, s); err != nil {
				return err
			}
			stack[0] = uint64(copy(i.Bytes(m)[s[0]:], i.Bytes(m)[16:22]))
			if !bytes.HasPrefix(i.Bytes(m)[s[0]:], []byte("mayfly")) {
				t.Errorf("%q", i.Bytes(m)[s[0]:][:8])
			}
			return nil
		}
		f, err := i.group.Function(partMain, "run") // the one that runs
		if err != nil {
			return err
		}
		s := []uint64{stack[0] - 1, 0}
		err = f.Call(ctx, i, s)
		stack[0] = s[0]
		return err
	}))
	want(t, i, 6+101, partMain, "run", 100, 0)
	want(t, i, 6+101, partMain, "run", 100, 0)
	if i.nesting != 0 || i.below != 0 || i.Context() != nil {
		t.Errorf("nesting %d, %d bytes below, context %v", i.nesting, i.below, i.Context())
	}
}

func TestWhatAPartImportsItSharesWithItsExporter(t *testing.T) {
	i := group(t, Limits{}, cLike(t, func(_ context.Context, _ *GroupInstance, stack []uint64) error { return nil }))
	m, err := i.group.Memory(partMain, "memory")
	if err != nil {
		t.Fatal(err)
	}
	again, err := i.group.Memory(partUser, "memory")
	if err != nil || again != m {
		t.Errorf("user's memory is another: %v", err)
	}
	if got := string(i.Bytes(m)[32:38]); got != "active" {
		t.Errorf("user's data in main's memory: %q", got)
	}
	if _, err := invoke(t, i, partUser, "init", 100); err != nil || string(i.Bytes(m)[100:107]) != "passive" {
		t.Errorf("%q, %v", i.Bytes(m)[100:107], err)
	}
	want(t, i, 14, partUser, "twice", 7)
	want(t, i, 4000, partUser, "push", 96)
	want(t, i, 3904, partUser, "push", 96)
	want(t, i, 18, partUser, "through table", 0, 9)
	want(t, i, 18, partUser, "through table", 1, 9)
	want(t, i, 'm', partUser, "through table", 3, 16)
	want(t, i, 2_000_000, partUser, "often", 1_000_000)
	want(t, i, 1, partUser, "grow", 2)
	want(t, i, 3, partMain, "grow", 1)
	if len(i.Bytes(m)) != 4*pageSize || i.Size() != 4*pageSize {
		t.Errorf("%d bytes, %d in all", len(i.Bytes(m)), i.Size())
	}
	_, err = invoke(t, i, partUser, "through table", 2, 9)
	if trap := (*TrapError)(nil); !errors.As(err, &trap) || trap.Reason != "indirect call type mismatch" {
		t.Errorf("%v", err)
	}
}

func TestEveryGroupInstanceIsFresh(t *testing.T) {
	g := loadGroup(t, newTestRuntime(t, Limits{}), cLike(t, func(_ context.Context, _ *GroupInstance, stack []uint64) error { return nil }), nil)
	for range 5 {
		i, err := g.Instantiate(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		want(t, i, 4000, partUser, "push", 96)
		want(t, i, 1, partMain, "grow", 3)
		m, _ := i.group.Memory(partMain, "memory")
		if n := bytes.Count(i.Bytes(m), []byte{0xff}); n != 0 {
			t.Errorf("%d bytes of another instance", n)
		}
		if _, err := invoke(t, i, partUser, "fill", 64, 0xff, 4*pageSize-64); err != nil {
			t.Error(err)
		}
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAFreshGroupAllocatesLittle holds the number of allocations down. It may be raised with a reason. The race detector makes ten more.
func TestAFreshGroupAllocatesLittle(t *testing.T) {
	spec := cLike(t, nothing)
	spec.Parts = spec.Parts[:partUser]
	g := loadGroup(t, newTestRuntime(t, Limits{}), spec, nil)
	n := testing.AllocsPerRun(100, func() {
		i, err := g.Instantiate(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := i.group.Function(partMain, "run")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Call(t.Context(), i, make([]uint64, 2)), i.Close()); err != nil {
			t.Fatal(err)
		}
	})
	if n > 92 {
		t.Errorf("%.0f allocations, at most 92 wanted", n)
	}
}

func TestAnErrorOfTheHostEndsTheGuest(t *testing.T) {
	said := errors.New("the disk is full")
	spec := func(f call) *GroupInstance { return group(t, Limits{}, cLike(t, f)) }
	t.Run("and comes out of the outermost call", func(t *testing.T) {
		i := spec(func(_ context.Context, _ *GroupInstance, stack []uint64) error { return said })
		_, err := invoke(t, i, partMain, "run")
		var trap *TrapError
		if !errors.Is(err, said) || !errors.As(err, &trap) || trap.Reason != "the disk is full" {
			t.Fatalf("%v", err)
		}
		if wanted := "test:host call(i32,i32) i32\nshim.indirect(i32,i32) i32\nmain.run(i32,i32) i32"; trap.Stack != wanted {
			t.Errorf("stack %q, want %q", trap.Stack, wanted)
		}
	})
	t.Run("with an exit code", func(t *testing.T) {
		i := spec(func(_ context.Context, _ *GroupInstance, stack []uint64) error {
			return &ExitError{Code: uint32(stack[0])}
		})
		for _, code := range []uint64{0, 3} {
			_, err := invoke(t, i, partMain, "run", code)
			if exit := (*ExitError)(nil); !errors.As(err, &exit) || uint64(exit.Code) != code {
				t.Errorf("exit(%d): %v", code, err)
			}
		}
	})
	t.Run("from within a nested call", func(t *testing.T) {
		i := spec(func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			if stack[0] == 0 {
				return said
			}
			_, err := invoke(t, i, partMain, "run", stack[0]-1)
			if !errors.Is(err, said) {
				t.Errorf("the nested call: %v", err)
			}
			return err
		})
		_, err := invoke(t, i, partMain, "run", 3)
		var trap *TrapError
		if !errors.Is(err, said) || !errors.As(err, &trap) || strings.Count(trap.Stack, "main.run(") != 4 {
			t.Errorf("%v, stack %q", err, trap.Stack)
		}
	})
	t.Run("that is a trap of a nested call", func(t *testing.T) {
		i := spec(func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			_, err := invoke(t, i, partMain, "trap")
			return err
		})
		_, err := invoke(t, i, partMain, "run", 3)
		var trap *TrapError
		if !errors.As(err, &trap) || trap.Reason != "unreachable" ||
			!strings.HasPrefix(trap.Stack, "main.trap()\ntest:host call(i32,i32) i32\nshim.indirect(") {
			t.Errorf("%v, stack %q", err, trap.Stack)
		}
	})
	t.Run("unless the host makes do without", func(t *testing.T) {
		i := spec(func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			if _, err := invoke(t, i, partMain, "trap"); err == nil {
				t.Error("no trap")
			}
			stack[0] = 41
			return nil
		})
		want(t, i, 42, partMain, "run", 3)
		want(t, i, 42, partMain, "run", 3)
	})
}

func TestAStartFunctionRunsBeforeTheNextPartIsMade(t *testing.T) {
	var calls int
	spec := GroupSpec{
		Host: hostCall(func(_ context.Context, i *GroupInstance, stack []uint64) error {
			calls++
			if len(i.cores)%2 == 0 { // that is the second of two
				want(t, i, 7, 0, "got it")
			}
			stack[0] += stack[1]
			return nil
		}),
		Parts: []Part{{Wasm: wasm(t, "starter"), Imports: []Target{{Part: Host}}}, {Wasm: wasm(t, "starter"), Imports: []Target{{Part: Host}}}},
	}
	i := group(t, Limits{}, spec)
	want(t, i, 7, 1, "got it")
	if calls != 2*2 { // once when it was tried
		t.Errorf("%d calls", calls)
	}
	if i.group.parts[0].compiled != i.group.parts[1].compiled {
		t.Error("equal parts are compiled twice")
	}
}

func TestAStartFunctionMayEndTheGroup(t *testing.T) {
	g, err := newTestRuntime(t, Limits{}).LoadGroup(t.Context(), GroupSpec{
		Host:  hostCall(func(context.Context, *GroupInstance, []uint64) error { return &ExitError{Code: 3} }),
		Parts: []Part{{Wasm: wasm(t, "hungry")}, {Wasm: wasm(t, "starter"), Imports: []Target{{Part: Host}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(t.Context())
	_, err = g.Instantiate(t.Context(), nil)
	if exit := (*ExitError)(nil); !errors.As(err, &exit) || exit.Code != 3 || !strings.Contains(err.Error(), "instantiate core instance 1: the start function") {
		t.Errorf("%v", err)
	}
	if err := g.Try(t.Context(), nil); !errors.Is(err, ErrStartFunction) {
		t.Errorf("%v", err)
	}
}

func TestConstantsMayBeComputed(t *testing.T) {
	i := group(t, Limits{}, GroupSpec{Parts: []Part{{Wasm: wasm(t, "env")},
		{Wasm: wasm(t, "extended"), Imports: []Target{{Part: 0, Export: "__memory_base"}}}}})
	m, err := i.group.Memory(1, "memory")
	if err != nil || string(i.Bytes(m)[72:76]) != "here" {
		t.Errorf("%q, %v", i.Bytes(m)[72:76], err)
	}
	want(t, i, 5, 1, "call", 63)
}

func TestDataThatDoesNotFitIsATrap(t *testing.T) {
	g, err := newTestRuntime(t, Limits{}).LoadGroup(t.Context(), GroupSpec{Parts: []Part{{Wasm: wasm(t, "overrun")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(t.Context())
	_, err = g.Instantiate(t.Context(), nil)
	if trap := (*TrapError)(nil); !errors.As(err, &trap) || trap.Reason != "out of bounds memory access" {
		t.Errorf("%v", err)
	}
}

func TestGroupsDoNotGetInEachOthersWay(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	var all []*GroupInstance
	for k := range uint64(3) {
		g := loadGroup(t, r, cLike(t, func(_ context.Context, _ *GroupInstance, stack []uint64) error {
			stack[0] = 10 * k
			return nil
		}), nil)
		all = append(all, instantiateGroup(t, g, nil), instantiateGroup(t, g, nil))
	}
	for k, i := range all {
		want(t, i, uint64(k/2*10+1), partMain, "run", 1, 1)
	}
	module := load(t, r, "counter")
	if body, err := run(t, t.Context(), module, Call{}); body != "1" || err != nil {
		t.Errorf("a module beside them: %q, %v", body, err)
	}
}

func TestGroupInstancesRunSideBySide(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	g := loadGroup(t, r, cLike(t, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
		i.GiveTurn()
		f, err := i.group.Function(partUser, "push")
		if err != nil {
			return err
		}
		stack[0] += *i.Owner().(*uint64)
		return f.Call(ctx, i, []uint64{16})
	}), new(uint64))
	var wait sync.WaitGroup
	for n := range uint64(8) {
		wait.Go(func() {
			for range 25 {
				i, err := g.Instantiate(t.Context(), &n)
				if err != nil {
					t.Error(err)
					return
				}
				want(t, i, 3+n+1, partMain, "run", 3)
				want(t, i, 4080-16, partUser, "push", 16)
				if err := i.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

func TestAnInstanceIsNotClosedWhileItRuns(t *testing.T) {
	i := group(t, Limits{}, cLike(t, func(_ context.Context, i *GroupInstance, stack []uint64) error {
		if err := i.Close(); !errors.Is(err, errRunning) {
			t.Errorf("%v", err)
		}
		return nil
	}))
	want(t, i, 4, partMain, "run", 3)
}

func TestThereIsNoSuchExport(t *testing.T) {
	i := group(t, Limits{}, cLike(t, func(context.Context, *GroupInstance, []uint64) error { return nil }))
	for _, c := range []struct {
		part   int
		export string
	}{{partMain, "nothing"}, {partMain, "memory"}, {-1, "run"}, {4, "run"}, {partMain, "mayfly:start"}} {
		if f, err := i.group.Function(c.part, c.export); err == nil || f != nil {
			t.Errorf("function %q of %d: %v", c.export, c.part, err)
		}
	}
	if _, err := i.group.Memory(partMain, "run"); err == nil {
		t.Errorf("a function is a memory: %v", err)
	}
	f := function(t, i, partMain, "run")
	m, err := i.group.Memory(partMain, "memory")
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	if b := i.Bytes(m); b != nil {
		t.Errorf("%d bytes of a memory that is another's now", len(b))
	}
	if err := f.Call(t.Context(), i, make([]uint64, 2)); err == nil {
		t.Error("a closed instance runs")
	}
	if err := f.Call(t.Context(), group(t, Limits{}, cLike(t, nothing)), make([]uint64, 2)); err == nil {
		t.Error("an instance of another group runs")
	}
}
