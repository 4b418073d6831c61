package validate_test

import (
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/validate"
)

func resourceItem(name string, r *types.Resource) types.Named {
	return types.Named{Name: name, Extern: types.Extern{Sort: types.SortType, Type: types.Defined{Resource: r}}}
}

func funcItem(name string, result *types.Type, params ...*types.Type) types.Named {
	f := &types.Func{Result: result}
	for i, p := range params {
		f.Params = append(f.Params, types.Field{Name: string(rune('a' + i)), Type: p})
	}
	return types.Named{Name: name, Extern: types.Extern{Sort: types.SortFunc, Func: f}}
}

func instanceOf(items ...types.Named) types.Extern {
	return types.Extern{Sort: types.SortInstance, Instance: &types.Instance{Exports: items}}
}

func own(r *types.Resource) *types.Type { return &types.Type{Kind: types.Own, Resource: r} }

// TestAHostLearnsWhichOfItsResourceTypesAreImported: what is wanted has resource types of its own.
func TestAHostLearnsWhichOfItsResourceTypesAreImported(t *testing.T) {
	have, want := &types.Resource{Name: "stream"}, &types.Resource{Name: "stream"}
	b := validate.Binding{}
	streams := instanceOf(resourceItem("stream", have), funcItem("open", own(have)), funcItem("more", nil))
	if err := validate.Subtype(streams, instanceOf(resourceItem("stream", want), funcItem("open", own(want))), b); err != nil {
		t.Fatal(err)
	}
	if b[want] != have {
		t.Errorf("bound to %v", b[want])
	}
	// Another import refers to the same resource type.
	types1 := instanceOf(resourceItem("stream", have), funcItem("body", own(have)))
	if err := validate.Subtype(types1, instanceOf(resourceItem("stream", want), funcItem("body", own(want))), b); err != nil {
		t.Error(err)
	}
	other := instanceOf(resourceItem("stream", &types.Resource{Name: "other"}))
	if err := validate.Subtype(other, instanceOf(resourceItem("stream", want)), b); err == nil {
		t.Error("a resource type of the same name is not the same")
	}
}

func TestWhatIsNoSubtype(t *testing.T) {
	p := types.Primitives
	rec := func(names ...string) *types.Type {
		r := &types.Type{Kind: types.Record}
		for _, n := range names {
			r.Fields = append(r.Fields, types.Field{Name: n, Type: p[types.U8]})
		}
		return r
	}
	list := func(n uint32) *types.Type { return &types.Type{Kind: types.List, Elem: p[types.U8], Length: n} }
	result := func(ok, err *types.Type) *types.Type { return &types.Type{Kind: types.Result, OK: ok, Err: err} }
	flags := func(l ...string) *types.Type { return &types.Type{Kind: types.Flags, Labels: l} }
	f := func(result *types.Type, params ...*types.Type) types.Extern {
		return funcItem("", result, params...).Extern
	}
	memory := func(l types.Limits) types.Extern {
		return types.Extern{Sort: types.SortModule, Module: &types.Module{Exports: []types.CoreExport{
			{Name: "m", CoreExtern: types.CoreExtern{Sort: types.CoreMemory, Limits: l}}}}}
	}
	env := func(params string) types.Extern {
		return types.Extern{Sort: types.SortModule, Module: &types.Module{Imports: []types.CoreImport{
			{Module: "env", Name: "f", CoreExtern: types.CoreExtern{Sort: types.CoreFunction, Params: params}}}}}
	}
	component := func(imports, exports []types.Named) types.Extern {
		return types.Extern{Sort: types.SortComponent, Component: &types.Component{Imports: imports, Exports: exports}}
	}
	r := &types.Resource{Name: "r"}
	for _, tt := range []struct {
		name       string
		have, want types.Extern
		reason     string // empty: it is one
	}{
		{"an instance that exports too little", instanceOf(), instanceOf(funcItem("f", nil)), `export "f" is missing`},
		{"a function where an instance is wanted", f(nil), instanceOf(), "wanted instance, found function"},
		{"a function with a parameter too many", f(nil, p[types.U8]), f(nil), "wanted 0 parameters, found 1"},
		{"a parameter of another type", f(nil, p[types.U8]), f(nil, p[types.S8]), `parameter "a": wanted s8, found u8`},
		{"a function without a result", f(nil), f(p[types.U8]), "result: wanted u8, found no type"},
		{"a field of another name", f(rec("x")), f(rec("y")), `wanted field "y", found "x"`},
		{"fewer fields", f(rec("x")), f(rec("x", "y")), "wanted 2 fields, found 1"},
		{"a list of another length", f(list(2)), f(list(0)), "found one of 2"},
		{"a result without its error", f(result(nil, nil)), f(result(nil, p[types.U8])), "error: wanted u8, found no type"},
		{"flags of other names", f(flags("a")), f(flags("b")), `wanted label "b", found "a"`},
		{"fewer flags", f(flags("a")), f(flags("a", "b")), "wanted 2 labels, found 1"},
		{"a handle of another resource type", f(own(r)), f(own(&types.Resource{})), `resource type "r" is not the one`},
		{"the same type", f(result(own(r), rec("x")), list(3)), f(result(own(r), rec("x")), list(3)), ""},
		{"a type of values where a resource is wanted", types.Extern{Sort: types.SortType, Type: types.Defined{Value: p[types.U8]}}, resourceItem("", r).Extern, "another sort of type"},
		{"a smaller memory", memory(types.Limits{Min: 1}), memory(types.Limits{Min: 2}), "minimum"},
		{"a memory without a maximum", memory(types.Limits{Min: 2}), memory(types.Limits{Min: 2, HasMax: true, Max: 3}), "wanted a maximum of 3, found none"},
		{"a memory that may grow further", memory(types.Limits{HasMax: true, Max: 4}), memory(types.Limits{HasMax: true, Max: 3}), "found 4"},
		{"a memory that is shared", memory(types.Limits{Shared: true}), memory(types.Limits{}), "shared"},
		{"a larger memory", memory(types.Limits{Min: 3, HasMax: true, Max: 3}), memory(types.Limits{Min: 2}), ""},
		{"a core module that imports more", env(""), memory(types.Limits{}), `imports "env" "f"`},
		{"a core module that imports another type", env("\x7f"), env("\x7e"), "wanted type (func (param i32)), found (func (param i64))"},
		{"a component that imports less and exports more", component(nil, []types.Named{funcItem("f", nil)}),
			component([]types.Named{funcItem("g", nil)}, nil), ""},
		{"a component that imports more", component([]types.Named{funcItem("g", nil)}, nil), component(nil, nil), `import "g" is missing`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := validate.Subtype(tt.have, tt.want, validate.Binding{})
			if tt.reason == "" && err != nil || tt.reason != "" && (err == nil || !strings.Contains(err.Error(), tt.reason)) {
				t.Errorf("got %v, want %q", err, tt.reason)
			}
		})
	}
}

// TestResourceTypesOfComponents: what a component imports stands for what it will be given, and what it exports for what it will make.
func TestResourceTypesOfComponents(t *testing.T) {
	make := func(same bool) types.Extern {
		in, out := &types.Resource{Name: "in"}, &types.Resource{Name: "out"}
		if same {
			out = in
		}
		return types.Extern{Sort: types.SortComponent, Component: &types.Component{
			Imports: []types.Named{resourceItem("r", in)},
			Exports: []types.Named{resourceItem("s", out), funcItem("f", own(out), own(in))},
		}}
	}
	b := validate.Binding{}
	if err := validate.Subtype(make(false), make(false), b); err != nil {
		t.Error(err)
	}
	if err := validate.Subtype(make(true), make(true), b); err != nil {
		t.Error(err)
	}
	if err := validate.Subtype(make(true), make(false), b); err != nil {
		t.Errorf("what is given back is something: %v", err)
	}
	if err := validate.Subtype(make(false), make(true), b); err == nil {
		t.Error("something is not what was given")
	}
	if len(b) != 0 {
		t.Errorf("%d resource types stay bound", len(b))
	}
}
