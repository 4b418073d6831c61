package component

import (
	"fmt"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// scriptResource is a resource of the scripts' host.
type scriptResource struct{ rep uint32 }

// scriptHost is what wasmtime's scripts expect of a host: functions that return numbers, and resources that count.
func scriptHost(t *testing.T) *Host {
	t.Helper()
	h, err := NewHost()
	if err != nil {
		t.Fatal(err)
	}
	u32 := types.Primitives[types.U32]
	returns := func(n uint32) HostFunc {
		return func(*Call, []Value) (Value, error) { return abi.U32(n), nil }
	}
	fn := func(name string, result *types.Type, params ...*types.Type) types.Named {
		f := &types.Func{Result: result}
		for i, p := range params {
			f.Params = append(f.Params, types.Field{Name: fmt.Sprintf("p%d", i), Type: p})
		}
		return types.Named{Name: name, Extern: types.Extern{Sort: types.SortFunc, Func: f}}
	}
	named := func(f types.Named, names ...string) types.Named {
		for i, n := range names {
			f.Func.Params[i].Name = n
		}
		return f
	}
	root := &types.Instance{Exports: []types.Named{named(fn("host-echo-u32", u32, u32), "v"), fn("host-return-two", u32)}}
	if err := h.Provide("", root, Interface{Funcs: map[string]HostFunc{
		"host-echo-u32":   func(_ *Call, args []Value) (Value, error) { return args[0], nil },
		"host-return-two": returns(2),
	}}); err != nil {
		t.Fatal(err)
	}

	one, two := &types.Resource{Name: "resource1"}, &types.Resource{Name: "resource2"}
	resource := func(name string, r *types.Resource) types.Named {
		return types.Named{Name: name, Extern: types.Extern{Sort: types.SortType, Type: types.Defined{Resource: r}}}
	}
	own, borrow := &types.Type{Kind: types.Own, Resource: one}, &types.Type{Kind: types.Borrow, Resource: one}
	var drops, last uint32
	rep := func(v Value) uint32 { return v.Resource().(*scriptResource).rep }
	check := func(c *Call, args []Value) (Value, error) {
		if rep(args[0]) != args[1].U32() {
			return Value{}, fmt.Errorf("resource %d: want %d", rep(args[0]), args[1].U32())
		}
		return Value{}, nil
	}
	nothing := func(*Call, []Value) (Value, error) { return Value{}, nil }
	host := &types.Instance{Exports: []types.Named{
		resource("resource1", one), resource("resource2", two), resource("resource1-again", one),
		fn("return-three", u32),
		{Name: "nested", Extern: types.Extern{Sort: types.SortInstance, Instance: &types.Instance{Exports: []types.Named{fn("return-four", u32)}}}},
		{Name: "simple-module", Extern: types.Extern{Sort: types.SortModule, Module: &types.Module{Exports: []types.CoreExport{
			{Name: "g", CoreExtern: types.CoreExtern{Sort: types.CoreGlobal, Value: 0x7f}},
			{Name: "f", CoreExtern: types.CoreExtern{Sort: types.CoreFunction, Results: "\x7f"}},
		}}}},
		named(fn("[constructor]resource1", own, u32), "r"),
		named(fn("[static]resource1.assert", nil, own, u32), "r", "rep"),
		fn("[static]resource1.last-drop", u32),
		fn("[static]resource1.drops", u32),
		named(fn("[method]resource1.simple", nil, borrow, u32), "self", "rep"),
		named(fn("[method]resource1.take-borrow", nil, borrow, borrow), "self", "b"),
		named(fn("[method]resource1.take-own", nil, borrow, own), "self", "b"),
		fn("return-hi", types.Primitives[types.String]),
	}}
	err = h.Provide("host", host, Interface{
		Funcs: map[string]HostFunc{
			"return-three": returns(3),
			"[constructor]resource1": func(_ *Call, args []Value) (Value, error) {
				return abi.Resource(&scriptResource{args[0].U32()}), nil
			},
			"[static]resource1.assert":      check,
			"[static]resource1.last-drop":   func(*Call, []Value) (Value, error) { return abi.U32(last), nil },
			"[static]resource1.drops":       func(*Call, []Value) (Value, error) { return abi.U32(drops), nil },
			"[method]resource1.simple":      check,
			"[method]resource1.take-borrow": nothing,
			"[method]resource1.take-own":    nothing,
			"return-hi":                     func(*Call, []Value) (Value, error) { return abi.String("hi"), nil },
		},
		Drop: map[string]func(any){"resource1": func(r any) {
			drops++
			last = r.(*scriptResource).rep
		}},
		Instances: map[string]Interface{"nested": {Funcs: map[string]HostFunc{"return-four": returns(4)}}},
		// (module (global (export "g") i32 i32.const 100) (func (export "f") (result i32) i32.const 101))
		Modules: map[string][]byte{"simple-module": []byte("\x00asm\x01\x00\x00\x00" +
			"\x01\x05\x01\x60\x00\x01\x7f" + "\x03\x02\x01\x00" + "\x06\x07\x01\x7f\x00\x41\xe4\x00\x0b" +
			"\x07\x09\x02\x01g\x03\x00\x01f\x00\x00" + "\x0a\x07\x01\x05\x00\x41\xe5\x00\x0b")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
