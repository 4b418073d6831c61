package component

import (
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// typ is a type that an index refers to. One of value, resource, fn and instance is set, or none for the type of a component, which
// nothing here asks for.
type typ struct {
	value    *types.Type
	resource *types.Resource
	fn       *types.Func
	instance *instanceType
}

// instanceType is the type of an instance, not yet evaluated: each import of that type has resources of its own.
type instanceType struct {
	declarations []binary.Definition
	outer        *scope
}

func (s *scope) defineType(d *binary.Type) {
	t := &typ{}
	switch {
	case d.Value != nil:
		t.value = s.value(d.Value)
	case d.Func != nil:
		t.fn = &types.Func{Params: s.fields(d.Func.Params), Result: s.ref(d.Func.Result)}
	case d.Instance != nil:
		t.instance = &instanceType{declarations: d.Instance.Declarations, outer: s}
	case d.Resource != nil:
		t.resource = &types.Resource{Name: s.names.Of(binary.SortType, uint32(len(s.types))), Owner: s.number}
		if d.Resource.Destructor != nil {
			s.linker.destructors[t.resource] = s.linker.coreFunc(s.coreItems[binary.SortCoreFunc][*d.Resource.Destructor])
		}
	}
	s.types = append(s.types, t)
}

func (s *scope) value(v *binary.ValueType) *types.Type {
	t := &types.Type{Kind: v.Kind, Labels: v.Labels, Length: v.Length}
	switch v.Kind {
	case types.Record, types.Tuple:
		t.Fields = s.fields(v.Fields)
	case types.Variant:
		t.Cases = s.fields(v.Cases)
	case types.List, types.Option:
		t.Elem = s.ref(v.Elem)
	case types.Result:
		t.OK, t.Err = s.ref(v.OK), s.ref(v.Err)
	case types.Own, types.Borrow:
		t.Resource = s.types[v.Handle].resource
	default:
		if v.Kind.Primitive() {
			return types.Primitives[v.Kind]
		}
	}
	return t
}

func (s *scope) ref(r binary.TypeRef) *types.Type {
	if k, ok := r.Primitive(); ok {
		return types.Primitives[k]
	}
	if i, ok := r.Index(); ok {
		return s.types[i].value
	}
	return nil
}

func (s *scope) fields(fields []binary.Field) []types.Field {
	out := make([]types.Field, len(fields))
	for i, f := range fields {
		out[i] = types.Field{Name: f.Name, Type: s.ref(f.Type)}
	}
	return out
}

// fromHost is what the host provides for an import of the root component.
func (s *scope) fromHost(d *binary.Import) (item, error) {
	h := s.linker.provide
	if d.Type.Sort == binary.SortInstance {
		e := &expectation{name: d.Name, host: h, provided: h.find(d.Name)}
		i, err := e.instance(s.types[d.Type.Index].instance)
		return item{inst: i}, err
	}
	e := &expectation{host: h, provided: h.find("")}
	return e.item(s, d.Name, d.Type)
}

// expectation is an import of the root: what the component expects, under which name, and what there is.
type expectation struct {
	name     string
	host     *Host
	provided *provided // nil: nothing under this name
}

// instance evaluates the type of an imported instance. Resources are the host's of the same name, functions too: what the host does not
// have, or has of another type, may be imported all the same, and is an error where it is used.
func (e *expectation) instance(t *instanceType) (*inst, error) {
	s := &scope{outer: t.outer, linker: t.outer.linker}
	out := newInst()
	for _, d := range t.declarations {
		if err := s.linker.count(); err != nil {
			return nil, err
		}
		switch d := d.(type) {
		case *binary.Type:
			s.defineType(d)
		case *binary.AliasOuter:
			s.aliasOuter(d)
		case *binary.AliasExport:
			s.add(s.insts[d.Instance].items[d.Name])
		case *binary.ExportDecl:
			it, err := e.item(s, d.Name, d.Type)
			if err != nil {
				return nil, err
			}
			out.add(d.Name, it)
			s.add(it)
		}
	}
	return out, nil
}

// item is what the host provides of a name within an interface, or in the place of one.
func (e *expectation) item(s *scope, name string, t binary.ExternType) (item, error) {
	switch t.Sort {
	case binary.SortFunc:
		return item{fn: e.fn(name, s.types[t.Index].fn)}, nil
	case binary.SortInstance:
		inner := &expectation{name: strings.TrimSpace(e.name + " " + name), host: e.host}
		if e.provided != nil {
			inner.provided = e.provided.inner[name]
		}
		i, err := inner.instance(s.types[t.Index].instance)
		return item{inst: i}, err
	case binary.SortType:
		if t.SubResource {
			return item{typ: &typ{resource: e.resource(name)}}, nil
		}
		return item{typ: s.types[t.Index]}, nil
	case binary.SortCoreModule:
		if e.provided != nil && e.provided.modules[name] != nil {
			return item{module: s.linker.module(e.provided.modules[name])}, nil
		}
		return item{module: &module{missing: &lack{e.host, e.name, name}}}, nil
	}
	return item{component: &closure{missing: &lack{e.host, e.name, name}}}, nil
}

func (e *expectation) resource(name string) *types.Resource {
	if e.provided != nil {
		if x, ok := e.provided.kind.Export(name); ok && x.Sort == types.SortType && x.Type.Resource != nil {
			return x.Type.Resource
		}
	}
	return &types.Resource{Name: name}
}

func (e *expectation) fn(name string, want *types.Func) *fn {
	f := &fn{name: name, typ: want}
	if e.name != "" {
		f.name = e.name + " " + name
	}
	if e.provided == nil {
		f.missing = &lack{e.host, e.name, name}
		return f
	}
	have, ok := e.provided.kind.Export(name)
	switch {
	case !ok || have.Sort != types.SortFunc:
		f.missing = e.host.lacksFunc(e.provided, e.name, name)
	case !fits(want, have.Func):
		f.missing = differs(e.name, name, want, have.Func)
	default:
		f.host = e.provided.funcs[name]
	}
	return f
}

// fits reports whether a function of type have can be called as one of type want. What parameters are called does not matter for that.
func fits(want, have *types.Func) bool {
	if len(want.Params) != len(have.Params) || !want.Result.Equal(have.Result) {
		return false
	}
	for i := range want.Params {
		if !want.Params[i].Type.Equal(have.Params[i].Type) {
			return false
		}
	}
	return true
}
