package component_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

func TestMain(m *testing.M) { leak.Main(m) }

// log is a host that keeps what guests say.
const logWIT = `package test:host@0.1.3;
interface log { line: func(text: string) -> u32; }`

type lines struct {
	said  []string
	heard func() // called for each, if it is not nil
}

func logHost(t testing.TB) *component.Host {
	t.Helper()
	h, err := component.NewHost(component.Package{WIT: logWIT, Interfaces: map[string]component.Interface{
		"log": {Funcs: map[string]component.HostFunc{
			"line": func(c *component.Call, args []component.Value) (component.Value, error) {
				l := c.State().(*lines)
				if args[0].String() == "fail" {
					return component.Value{}, errFail
				}
				l.said = append(l.said, args[0].String())
				if l.heard != nil {
					l.heard()
				}
				return abi.U32(uint32(len(l.said))), nil
			},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var errFail = errors.New("the host failed")

func load(t testing.TB, name string, h *component.Host) *component.Component {
	t.Helper()
	wasm, err := os.ReadFile("testdata/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r, err := instance.NewRuntime(ctx, instance.Limits{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(ctx) })
	d, err := component.Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	c, err := component.Load(ctx, r, d, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(ctx) })
	if err := c.Try(ctx, &lines{}); err != nil {
		t.Fatal(err)
	}
	return c
}

func function(t testing.TB, c *component.Component, iface, name string) *component.Function {
	t.Helper()
	f, err := c.Function(iface, name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func instantiate(t testing.TB, c *component.Component, state any) *component.Instance {
	t.Helper()
	i, err := c.Instantiate(context.Background(), state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i
}

func TestStringsPassBothWays(t *testing.T) {
	c := load(t, "greet", logHost(t))
	greet, posts := function(t, c, "test:greet/api@1.2.3", "greet"), function(t, c, "test:greet/api@1.0.0", "posts")
	said := &lines{}
	i := instantiate(t, c, said)
	for _, name := range []string{"mayfly", "", "Ephemera ♥"} {
		v, err := i.Call(t.Context(), greet, abi.String(name))
		if err != nil {
			t.Fatal(err)
		}
		if got := v.String(); got != "hello, "+name {
			t.Errorf("greet(%q) = %q", name, got)
		}
	}
	if got := strings.Join(said.said, "|"); got != "mayfly||Ephemera ♥" {
		t.Errorf("the host was told %q", got)
	}
	if v, err := i.Call(t.Context(), posts); err != nil || v.U32() != 3 {
		t.Errorf("post-return ran %d times, %v", v.U32(), err)
	}
}

func TestAnInstanceIsFresh(t *testing.T) {
	c := load(t, "greet", logHost(t))
	greet, posts := function(t, c, "test:greet/api@1.0.0", "greet"), function(t, c, "test:greet/api@1.0.0", "posts")
	for range 3 {
		i := instantiate(t, c, &lines{})
		if v, err := i.Call(t.Context(), posts); err != nil || v.U32() != 0 {
			t.Fatalf("a fresh instance has answered %d times already, %v", v.U32(), err)
		}
		if _, err := i.Call(t.Context(), greet, abi.String("x")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHostsErrorEndsTheGuest(t *testing.T) {
	c := load(t, "greet", logHost(t))
	greet := function(t, c, "test:greet/api@1.0.0", "greet")
	i := instantiate(t, c, &lines{})
	if _, err := i.Call(t.Context(), greet, abi.String("fail")); !errors.Is(err, errFail) {
		t.Fatalf("got %v", err)
	}
	if _, err := i.Call(t.Context(), greet, abi.String("x")); err == nil {
		t.Fatal("an instance that ended was entered again")
	}
}

func TestATrapIsToldAsOne(t *testing.T) {
	c := load(t, "greet", logHost(t))
	i := instantiate(t, c, &lines{})
	_, err := i.Call(t.Context(), function(t, c, "", "trap"))
	var trap *instance.TrapError
	if !errors.As(err, &trap) || !strings.Contains(trap.Reason, "unreachable") {
		t.Fatalf("got %v", err)
	}
}

func TestWhatTheHostLacksIsNamed(t *testing.T) {
	h, err := component.NewHost()
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := os.ReadFile("testdata/greet.wasm")
	if err != nil {
		t.Fatal(err)
	}
	d, err := component.Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	_, err = component.Load(t.Context(), nil, d, h)
	if !errors.Is(err, component.ErrImport) || !strings.Contains(err.Error(), "test:host/log@0.1.0") {
		t.Fatalf("got %v", err)
	}
}

func TestAResourceGoesFromOneComponentToAnother(t *testing.T) {
	c := load(t, "compose", logHost(t))
	i := instantiate(t, c, nil)
	v, err := i.Call(t.Context(), function(t, c, "", "count"), abi.U32(41))
	if err != nil || v.U32() != 42 {
		t.Fatalf("count(41) = %d, %v", v.U32(), err)
	}
	_, err = i.Call(t.Context(), function(t, c, "", "twice"), abi.U32(1))
	var trap *instance.TrapError
	if !errors.As(err, &trap) || !strings.Contains(trap.Reason, "handle") {
		t.Fatalf("dropped twice: %v", err)
	}
}

func TestAGuestThatMustStopCallsTheHostNoMore(t *testing.T) {
	c := load(t, "endless", logHost(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := &lines{heard: cancel}
	_, err := instantiate(t, c, said).Call(ctx, function(t, c, "", "endless"))
	var stop *instance.StopError
	if !errors.As(err, &stop) || len(said.said) != 1 {
		t.Errorf("it called %d times, and ended with %v", len(said.said), err)
	}
}
