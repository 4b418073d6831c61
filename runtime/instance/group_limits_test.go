package instance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"
)

func nothing(context.Context, *GroupInstance, []uint64) error { return nil }

func TestTheLimitOfMemoryIsForAllPartsTogether(t *testing.T) {
	spec := GroupSpec{Parts: []Part{{Wasm: wasm(t, "hungry")}, {Wasm: wasm(t, "hungry")}, {Wasm: wasm(t, "hungry")}}}
	i := group(t, Limits{Memory: 10 * pageSize}, spec)
	if got := i.group.InitialMemory(); got != 6*pageSize {
		t.Errorf("%d bytes at first", got)
	}
	none := uint64(1<<32 - 1)
	want(t, i, 2, 0, "grow", 3)
	want(t, i, none, 1, "grow", 2)
	want(t, i, 2, 2, "grow", 1)
	want(t, i, none, 0, "grow", 1)
	if i.Size() != 10*pageSize {
		t.Errorf("%d bytes", i.Size())
	}
	_, err := i.runtime.LoadGroup(t.Context(), GroupSpec{Parts: append(spec.Parts, spec.Parts...)})
	if !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), "MAYFLY_MEMORY=768Ki") {
		t.Errorf("%v", err)
	}
}

func TestTheBudgetIsForAllPartsTogether(t *testing.T) {
	r := newTestRuntime(t, Limits{Budget: 1 << 40})
	g := loadGroup(t, r, GroupSpec{Parts: []Part{{Wasm: wasm(t, "hungry")}, {Wasm: wasm(t, "hungry")}}}, nil)
	if g.Footprint() <= g.InitialMemory() {
		t.Error("an instance takes nothing of Go's heap")
	}
	g.appetite.learn(g.InitialMemory())
	r.SetBudget(2*g.Footprint() + 3*pageSize)
	i, other := instantiateGroup(t, g, nil), instantiateGroup(t, g, nil)
	if _, err := g.Instantiate(t.Context(), nil); !errors.Is(err, ErrBudget) {
		t.Errorf("a third instance: %v", err)
	}
	want(t, i, 2, 0, "grow", 2)
	want(t, i, 1<<32-1, 1, "grow", 2)
	want(t, other, 2, 1, "grow", 1)
	want(t, other, 1<<32-1, 0, "grow", 1)
}

func TestTheBudgetIsForWhatTheHostNeedsToo(t *testing.T) {
	r := newTestRuntime(t, Limits{Budget: 1 << 40})
	g := loadGroup(t, r, GroupSpec{Parts: []Part{{Wasm: wasm(t, "hungry")}}}, nil)
	g.appetite.learn(g.InitialMemory())
	r.SetBudget(g.Footprint() + 10*pageSize)
	i := instantiateGroup(t, g, nil)
	if !i.TakeMemory(6*pageSize) || i.TakeMemory(6*pageSize) {
		t.Error("there is room for six pages, and then for no more than four")
	}
	i.GiveMemory(2 * pageSize)
	if !i.TakeMemory(6 * pageSize) {
		t.Error("two of them were given back")
	}
	if err := i.Close(); err != nil || r.budget.used.Load() != 0 || i.TakeMemory(1) {
		t.Errorf("%d bytes are taken by nobody, %v", r.budget.used.Load(), err)
	}
}

func TestTheEndOfTheContextStopsAnyPart(t *testing.T) {
	again := func(ctx context.Context, i *GroupInstance, stack []uint64) error {
		f, err := i.group.Function(partMain, "run")
		if err != nil {
			return err
		}
		_ = f.Call(ctx, i, []uint64{0, 0}) // an error it does not care about
		return nil
	}
	wait := func(ctx context.Context, i *GroupInstance, stack []uint64) error {
		i.GiveTurn()
		<-i.Context().Done()
		return ctx.Err()
	}
	inner := func(export string) call {
		return func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			f, err := i.group.Function(partMain, export)
			if err != nil {
				return err
			}
			return f.Call(context.Background(), i, nil)
		}
	}
	for _, c := range []struct {
		name   string
		part   int
		export string
		host   call
	}{
		{"that spins", partMain, "spin", nothing},
		{"that calls the host in a loop", partMain, "again", nothing},
		{"that calls another part in a loop", partUser, "often", nothing},
		{"that fills another's memory for ever", partUser, "fill for ever", nothing},
		{"that waits in the host", partMain, "run", wait},
		{"that spins below the host", partMain, "run", inner("spin")},
		{"that calls itself through the host for ever", partMain, "again", again},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := group(t, Limits{}, cLike(t, c.host))
			why := errors.New("time is up")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, why)
			defer cancel()
			began := time.Now()
			err := function(t, i, c.part, c.export).Call(ctx, i, make([]uint64, 2))
			if !errors.Is(err, ErrStopped) || !errors.Is(err, why) {
				t.Fatalf("ended with: %v", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("stopped after %v", took)
			}
			if i.nesting != 0 || i.below != 0 {
				t.Errorf("nesting %d, %d bytes below", i.nesting, i.below)
			}
		})
	}
}

func TestNothingIsInstantiatedWhenTheContextHasEnded(t *testing.T) {
	g := loadGroup(t, newTestRuntime(t, Limits{}), cLike(t, nothing), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Instantiate(ctx, nil); !errors.Is(err, ErrStopped) {
		t.Errorf("%v", err)
	}
}

func TestTheCallStacksAreLimitedTogether(t *testing.T) {
	overflow := func(t *testing.T, err error) {
		t.Helper()
		if trap := (*TrapError)(nil); !errors.As(err, &trap) || trap.Reason != "stack overflow" {
			t.Errorf("%v", err)
		}
	}
	t.Run("one that recurses", func(t *testing.T) {
		i := group(t, Limits{}, cLike(t, nothing))
		_, err := invoke(t, i, partMain, "recurse")
		overflow(t, err)
	})
	t.Run("many that are deep each", func(t *testing.T) {
		most := 0
		i := group(t, Limits{}, cLike(t, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			most = max(most, i.below+i.stack.size())
			f, err := i.group.Function(partMain, "deep")
			if err != nil {
				return err
			}
			return f.Call(ctx, i, []uint64{5000})
		}))
		_, err := invoke(t, i, partMain, "deep", 5000)
		overflow(t, err)
		if most > 2*maxCallStack {
			t.Errorf("%d bytes", most)
		}
	})
	t.Run("many that are shallow", func(t *testing.T) {
		calls := 0
		i := group(t, Limits{}, cLike(t, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			calls++
			f, err := i.group.Function(partMain, "run")
			if err != nil {
				return err
			}
			return f.Call(ctx, i, []uint64{0, 0})
		}))
		_, err := invoke(t, i, partMain, "run")
		overflow(t, err)
		if calls > maxNesting+1 {
			t.Errorf("%d calls", calls)
		}
	})
}

func TestLoadGroupRefuses(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	main := Part{Wasm: wasm(t, "main"), Imports: []Target{{Part: Host}}, Name: "main"}
	user := func(change func(targets []Target)) GroupSpec {
		targets := userImports(0)
		change(targets)
		return GroupSpec{Parts: []Part{main, {Wasm: wasm(t, "user"), Imports: targets, Name: "user"}}}
	}
	const preamble = "\x00asm\x01\x00\x00\x00"
	raw := func(text string) GroupSpec { return GroupSpec{Parts: []Part{{Wasm: []byte(text)}}} }
	for _, c := range []struct {
		name string
		spec GroupSpec
		want error
		says string
	}{
		{"an import without a target", GroupSpec{Parts: []Part{{Wasm: main.Wasm}}}, ErrImport, "core instance 0: unknown import: 0 targets for 1 imports"},
		{"a part that is not earlier", user(func(s []Target) { s[0].Part = 1 }), ErrImport, "core instance 1 is not an earlier one"},
		{"a negative part", user(func(s []Target) { s[0].Part = -2 }), ErrImport, "core instance -2"},
		{"an export that is not there", user(func(s []Target) { s[3].Export = "thrice" }), ErrImport, `core instance 0, "main" does not export "thrice"`},
		{"what the weaving exports", user(func(s []Target) { s[3].Export = "mayfly:start" }), ErrImport, "does not export"},
		{"an export of another kind", user(func(s []Target) { s[3].Export = "memory" }), ErrImport, `import "main"."twice" (function): it is a memory, not a function`},
		{"a function of another type", user(func(s []Target) { s[3].Export = "run" }), ErrImport, "other parameters or results"},
		{"a function of the host of another type", user(func(s []Target) { s[3] = Target{Part: Host} }), ErrImport, "other parameters or results"},
		{"a memory from the host", user(func(s []Target) { s[0] = Target{Part: Host} }), ErrImport, "it is a function, not a memory"},
		{"a function the host has not", user(func(s []Target) { s[4].Host = 1 }), ErrImport, "the host has no function 1"},
		{"a table that is too small", GroupSpec{Parts: []Part{main, {Wasm: []byte(preamble + "\x02\x09\x01\x01m\x01t\x01\x70\x00\x05"),
			Imports: []Target{{Part: 0, Export: "table"}}}}}, ErrImport, "it begins with 4, and at least 5 are wanted"},
		{"a table without the maximum that is wanted", GroupSpec{Parts: []Part{main, {Wasm: []byte(preamble + "\x02\x0a\x01\x01m\x01t\x01\x70\x01\x01\x05"),
			Imports: []Target{{Part: 0, Export: "table"}}}}}, ErrImport, "it has no maximum, and 5 is wanted"},
		{"a global that cannot be changed", GroupSpec{Parts: []Part{main, {Wasm: []byte(preamble + "\x02\x08\x01\x01m\x01g\x03\x7f\x00"),
			Imports: []Target{{Part: 0, Export: "sp"}}}}}, ErrImport, "one can be changed and the other cannot"},
		{"too many parts", GroupSpec{Parts: make([]Part, 1001)}, ErrMalformed, "1001 core instances: at most 1000"},
		{"too many functions of the host", GroupSpec{Host: make([]HostFunc, 10_001)}, ErrMalformed, "at most 10000"},
		{"an empty module", raw(""), ErrEmpty, "core instance 0"},
		{"no module", raw("#!/bin/sh"), ErrNotWasm, "core instance 0"},
		{"threads", raw(preamble + "\x05\x04\x01\x03\x01\x02"), ErrMalformed, "threads are not supported"},
		{"a shared memory that is imported", GroupSpec{Parts: []Part{{Wasm: wasm(t, "hungry")}, {Wasm: []byte(preamble + "\x02\x09\x01\x01m\x01m\x02\x03\x01\x02"),
			Imports: []Target{{Part: 0, Export: "memory"}}}}}, ErrImport, "shared between threads"},
		{"memory64", raw(preamble + "\x05\x03\x01\x04\x01"), ErrMalformed, "memories and tables of 64 bits are not supported"},
		{"multi-memory", raw(preamble + "\x05\x05\x02\x00\x01\x00\x01"), ErrMalformed, "several memories in one module are not supported"},
		{"exceptions", raw(preamble + "\x0d\x01\x00"), ErrMalformed, "exceptions are not supported"},
		{"garbage collected types", raw(preamble + "\x01\x03\x01\x5f\x00"), ErrMalformed, "garbage collected types are not supported"},
		{"typed references", raw(preamble + "\x01\x06\x01\x60\x01\x64\x00\x00"), ErrMalformed, "typed references"},
		{"tail calls", raw(preamble + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x06\x01\x04\x00\x12\x00\x0b"), ErrMalformed, "tail calls are not supported"},
		{"many tables that are large together", func() GroupSpec {
			part := Part{Wasm: []byte(preamble + "\x04\x06\x01\x70\x00\x80\x80\x20")} // 512 Ki entries
			return GroupSpec{Parts: []Part{part, part, part, part, part}}
		}(), ErrMalformed, "together are more than 2097152"},
		{"a memory that is too large", raw(preamble + "\x05\x04\x01\x00\x80\x20"), ErrMemory, "starts with 256Mi of linear memory, an instance may have 64Mi"},
		{"too many memories", func() (spec GroupSpec) {
			for range maxGroupMemories + 1 {
				spec.Parts = append(spec.Parts, Part{Wasm: []byte(preamble + "\x05\x03\x01\x00\x00")})
			}
			return spec
		}(), ErrMalformed, "more than 100 memories"},
		{"what the engine refuses", raw(preamble + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x05\x01\x03\x00\x6a\x0b"), ErrMalformed, "core instance 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.spec.Host == nil {
				c.spec.Host = hostCall(nothing)
			}
			g, err := r.LoadGroup(t.Context(), c.spec)
			if g != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v\nwant %q and %q in it", err, c.want, c.says)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\n\t") {
				t.Errorf("more than a line: %q", err)
			}
		})
	}
}

func TestAHostFunctionThatFaultsIsTheGuestsEnd(t *testing.T) {
	i := group(t, Limits{}, cLike(t, func(_ context.Context, _ *GroupInstance, stack []uint64) error {
		var none []uint64
		stack[0] = none[0]
		return nil
	}))
	_, err := invoke(t, i, partMain, "run")
	if trap := (*TrapError)(nil); !errors.As(err, &trap) || !strings.HasPrefix(trap.Reason, "a function of the host failed: ") ||
		strings.Contains(trap.Stack, "goroutine") {
		t.Errorf("%v", err)
	}
}

func TestAGroupMayHaveAThousandPartsAndTenThousandFunctions(t *testing.T) {
	spec := GroupSpec{}
	for range maxHostFunctions {
		spec.Host = append(spec.Host, HostFunc{Name: "f", Params: []api.ValueType{api.ValueTypeI32}, Call: nothing})
	}
	for range maxParts {
		spec.Parts = append(spec.Parts, Part{Wasm: wasm(t, "env")})
	}
	i := group(t, Limits{}, spec)
	if len(i.cores) != maxParts || len(i.group.compiled) != 2 { // env and the host
		t.Errorf("%d instances of %d modules", len(i.cores), len(i.group.compiled))
	}
}
