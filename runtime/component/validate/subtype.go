package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// Binding says which resource type of those that are there each resource type that was asked for stands for.
type Binding map[*types.Resource]*types.Resource

// Subtype checks that what there is can be used as what is wanted, and says why not. Resource types that are wanted as types
// and are not in the binding yet are bound to those of the same name; all others must be the same, or bound to the same. So a host
// checks one import after the other with one binding, and learns from it which of its resource types each one is.
func Subtype(have, want types.Extern, b Binding) error {
	w := work{left: maxWork}
	c := &comparison{work: &w, have: Binding{}, want: b}
	if want.Sort == types.SortType && want.Type.Resource != nil || want.Sort == types.SortInstance {
		c.bind([]types.Named{{Extern: want}}, func(string) (types.Extern, bool) { return have, true }, c.unbound)
	}
	return c.extern(have, want)
}

// comparison checks types against each other. Explainer.md, "Type Checking".
type comparison struct {
	work       *work
	have, want Binding // of the resource types of either side
	// bound tells the resource types that the type of a component brings; nil: all those that are not bound yet.
	bound func(*types.Component) (imported, defined map[*types.Resource]bool)
	// lookup finds the exports of an instance; nil: by searching.
	lookup func(*types.Instance) finder
}

// finder finds an import or export by name.
type finder func(name string) (types.Extern, bool)

func (v *validator) newComparison() *comparison {
	return &comparison{work: &v.work, have: Binding{}, want: Binding{}, lookup: v.lookup,
		bound: func(c *types.Component) (imported, defined map[*types.Resource]bool) {
			info := v.components[c]
			_ = v.work.do(len(info.imported) + len(info.defined)) // that it is too much is found by what follows
			return set(info.imported), set(info.defined)
		}}
}

// lookup finds exports of an instance.
func (v *validator) lookup(t *types.Instance) finder {
	return func(name string) (types.Extern, bool) {
		x, ok := v.export(t, name)
		return x.Extern, ok
	}
}

func (c *comparison) exports(t *types.Instance) finder {
	if c.lookup == nil {
		return t.Export
	}
	return c.lookup(t)
}

// unbound reports that nothing is known about a resource type that is wanted.
func (c *comparison) unbound(r *types.Resource) bool {
	_, ok := c.want[r]
	return !ok
}

// bind finds what each variable among the resource types that are wanted stands for: what is there under the same name. It
// returns those that it bound.
func (c *comparison) bind(want []types.Named, have finder, variable func(*types.Resource) bool) (bound []*types.Resource) {
	if c.work.do(len(want)) != nil {
		return nil // the comparison that follows has nothing left to work with either, and says so
	}
	for _, w := range want {
		h, ok := have(w.Name)
		switch {
		case !ok || h.Sort != w.Sort:
		case w.Sort == types.SortInstance:
			bound = append(bound, c.bind(w.Instance.Exports, c.exports(h.Instance), variable)...)
		case w.Type.Resource != nil && h.Type.Resource != nil && c.unbound(w.Type.Resource) && variable(w.Type.Resource):
			c.want[w.Type.Resource] = resolve(c.have, h.Type.Resource)
			bound = append(bound, w.Type.Resource)
		}
	}
	return bound
}

func resolve(b Binding, r *types.Resource) *types.Resource {
	if to, ok := b[r]; ok {
		return to
	}
	return r
}

func (c *comparison) extern(have, want types.Extern) error {
	if err := c.work.do(1); err != nil {
		return err
	}
	if have.Sort != want.Sort {
		return fmt.Errorf("wanted %s, found %s", want.Sort, have.Sort)
	}
	switch want.Sort {
	case types.SortModule:
		return moduleSubtype(c.work, have.Module, want.Module)
	case types.SortFunc:
		return c.fn(have.Func, want.Func)
	case types.SortComponent:
		return c.component(have.Component, want.Component)
	case types.SortInstance:
		return c.instance(have.Instance, want.Instance)
	case types.SortType:
		return c.defined(have.Type, want.Type)
	}
	return fmt.Errorf("a %s cannot be compared", want.Sort)
}

func (c *comparison) defined(have, want types.Defined) error {
	switch {
	case have.Resource != nil && want.Resource != nil:
		return c.resource(have.Resource, want.Resource)
	case have.Value != nil && want.Value != nil:
		return c.value(have.Value, want.Value)
	case have.Func != nil && want.Func != nil:
		return c.fn(have.Func, want.Func)
	case have.Instance != nil && want.Instance != nil:
		return c.instance(have.Instance, want.Instance)
	case have.Component != nil && want.Component != nil:
		return c.component(have.Component, want.Component)
	}
	return errors.New("wanted another sort of type")
}

func (c *comparison) resource(have, want *types.Resource) error {
	if resolve(c.have, have) != resolve(c.want, want) {
		return fmt.Errorf("resource type %q is not the one that is wanted", have.Name)
	}
	return nil
}

// instance: there may be more exports than are wanted.
func (c *comparison) instance(have, want *types.Instance) error {
	return c.all(c.exports(have), want.Exports, "export")
}

// all compares everything that is wanted.
func (c *comparison) all(have finder, want []types.Named, what string) error {
	for _, w := range want {
		h, ok := have(w.Name)
		if !ok {
			return fmt.Errorf("%s %q is missing", what, w.Name)
		}
		if err := c.extern(h, w.Extern); err != nil {
			return fmt.Errorf("%s %q: %w", what, w.Name, err)
		}
	}
	return nil
}

// component: what is wanted is to be given the wanted imports, which must do for those that it has; and must then give the wanted exports.
func (c *comparison) component(have, want *types.Component) error {
	if err := c.work.do(len(have.Imports) + len(have.Exports) + len(want.Imports) + len(want.Exports)); err != nil {
		return err
	}
	imported, defined := c.unbound, c.unbound
	if c.bound != nil {
		i, _ := c.bound(have)
		_, d := c.bound(want)
		imported = func(r *types.Resource) bool { return i[r] }
		defined = func(r *types.Resource) bool { return d[r] }
	}
	c.have, c.want = c.want, c.have
	given := finderOf(want.Imports)
	bound := c.bind(have.Imports, given, imported)
	defer unbind(c.want, bound)
	err := c.all(given, have.Imports, "import")
	c.have, c.want = c.want, c.have
	if err != nil {
		return err
	}
	exports := finderOf(have.Exports)
	bound = c.bind(want.Exports, exports, defined)
	defer unbind(c.want, bound)
	return c.all(exports, want.Exports, "export")
}

func unbind(b Binding, all []*types.Resource) {
	for _, r := range all {
		delete(b, r)
	}
}

func finderOf(all []types.Named) finder {
	index := make(map[string]types.Extern, len(all))
	for _, x := range all {
		index[x.Name] = x.Extern
	}
	return func(name string) (types.Extern, bool) {
		x, ok := index[name]
		return x, ok
	}
}

// fn: types of functions must be the same, names of parameters included, as in all implementations; the specification leaves open
// whether that will be relaxed.
func (c *comparison) fn(have, want *types.Func) error {
	if len(have.Params) != len(want.Params) {
		return fmt.Errorf("wanted %d parameters, found %d", len(want.Params), len(have.Params))
	}
	if err := c.fields(have.Params, want.Params, "parameter"); err != nil {
		return err
	}
	return c.optional(have.Result, want.Result, "result")
}

func (c *comparison) fields(have, want []types.Field, what string) error {
	if len(have) != len(want) {
		return fmt.Errorf("wanted %d %ss, found %d", len(want), what, len(have))
	}
	for i, h := range have {
		w := want[i]
		if h.Name != w.Name {
			return fmt.Errorf("wanted %s %q, found %q", what, w.Name, h.Name)
		}
		if err := c.optional(h.Type, w.Type, fmt.Sprintf("%s %q", what, h.Name)); err != nil {
			return err
		}
	}
	return nil
}

// optional compares types that may both be missing.
func (c *comparison) optional(have, want *types.Type, what string) error {
	switch {
	case have == nil && want == nil:
		return nil
	case have == nil:
		return fmt.Errorf("%s: wanted %s, found no type", what, want.Kind)
	case want == nil:
		return fmt.Errorf("%s: wanted no type, found %s", what, have.Kind)
	}
	if err := c.value(have, want); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (c *comparison) value(have, want *types.Type) error {
	if err := c.work.do(1); err != nil {
		return err
	}
	if have.Kind != want.Kind {
		return fmt.Errorf("wanted %s, found %s", want.Kind, have.Kind)
	}
	switch want.Kind {
	case types.Record, types.Tuple:
		return c.fields(have.Fields, want.Fields, "field")
	case types.Variant:
		return c.fields(have.Cases, want.Cases, "case")
	case types.Flags, types.Enum:
		if err := c.work.do(len(have.Labels)); err != nil {
			return err
		}
		if len(have.Labels) != len(want.Labels) {
			return fmt.Errorf("wanted %d labels, found %d", len(want.Labels), len(have.Labels))
		}
		for i, l := range have.Labels {
			if l != want.Labels[i] {
				return fmt.Errorf("wanted label %q, found %q", want.Labels[i], l)
			}
		}
	case types.List, types.Option:
		if have.Length != want.Length {
			return fmt.Errorf("wanted a list of length %d, found one of %d; 0 is any length", want.Length, have.Length)
		}
		return c.value(have.Elem, want.Elem)
	case types.Result:
		if err := c.optional(have.OK, want.OK, "ok"); err != nil {
			return err
		}
		return c.optional(have.Err, want.Err, "error")
	case types.Own, types.Borrow:
		return c.resource(have.Resource, want.Resource)
	}
	return nil
}
