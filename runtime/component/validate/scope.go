package validate

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// kind is what a scope belongs to.
type kind uint8

const (
	inComponent kind = iota
	inComponentType
	inInstanceType
)

// scope is a component, or the type of a component or instance, with the index spaces it has so far.
type scope struct {
	v     *validator
	kind  kind
	outer *scope

	coreFuncs     []types.CoreExtern
	coreTables    []types.CoreExtern
	coreMemories  []types.CoreExtern
	coreGlobals   []types.CoreExtern
	coreTags      []types.CoreExtern
	coreTypes     []coreType
	coreModules   []*types.Module
	coreInstances []coreInstance
	funcs         []*types.Func
	types         []deftype
	components    []*types.Component
	instances     []*types.Instance

	imports, exports side
	shape            shape
	instantiated     int // instances, and those that they make

	imported []*types.Resource
	defined  map[*types.Resource]bool // true: here, so that this component may make and look into them
	order    []*types.Resource        // of defined
}

// deftype is a type in an index space. The alias belongs to a resource type.
type deftype struct {
	types.Defined
	alias alias
}

// side is the imports or the exports of a scope.
type side struct {
	what    string
	items   []types.Named
	aliases []alias
	names   map[string]string // strongly-unique form → name
	// resources are those that are imported or exported themselves, by the name they have.
	resources map[token]string
	labels    map[string]bool // the values of resources
	named     map[any]bool    // *types.Type and token of the types that have a name here
}

func newSide(what string) side {
	return side{what: what, names: map[string]string{}, resources: map[token]string{}, labels: map[string]bool{}, named: map[any]bool{}}
}

func (v *validator) newScope(k kind, outer *scope) (*scope, error) {
	if err := v.work.do(scopeWork); err != nil {
		return nil, err
	}
	return &scope{v: v, kind: k, outer: outer, imports: newSide("import"), exports: newSide("export"), shape: leaf,
		defined: map[*types.Resource]bool{}}, nil
}

// item finds what an index refers to.
func item[T any](all []T, what binary.Sort, i uint32) (t T, err error) {
	if uint64(i) >= uint64(len(all)) {
		return t, fmt.Errorf("%s %d: there are %d so far", what, i, len(all))
	}
	return all[i], nil
}

// ownResource makes a resource type one of those that instances of this scope have of their own.
func (s *scope) ownResource(r *types.Resource, here bool) error {
	s.defined[r] = here
	s.order = append(s.order, r)
	return s.countResources()
}

func (s *scope) countResources() error {
	if len(s.order)+len(s.imported) > maxResources {
		return limited{fmt.Sprintf("more than %d resource types, counting those of instances", maxResources)}
	}
	return nil
}

// find finds something that may be imported or exported.
func (s *scope) find(i binary.SortIndex) (x extern, err error) {
	switch i.Sort {
	case binary.SortFunc:
		x.Sort = types.SortFunc
		x.Func, err = item(s.funcs, i.Sort, i.Index)
	case binary.SortType:
		var t deftype
		x.Sort = types.SortType
		t, err = item(s.types, i.Sort, i.Index)
		x.Type, x.alias = t.Defined, t.alias
	case binary.SortComponent:
		x.Sort = types.SortComponent
		x.Component, err = item(s.components, i.Sort, i.Index)
	case binary.SortInstance:
		x.Sort = types.SortInstance
		x.Instance, err = item(s.instances, i.Sort, i.Index)
	case binary.SortCoreModule:
		x.Sort = types.SortModule
		x.Module, err = item(s.coreModules, i.Sort, i.Index)
	default:
		err = fmt.Errorf("a %s cannot be imported or exported", i.Sort)
	}
	return x, err
}

// declare adds an import, an export or an alias to its index space.
func (s *scope) declare(x extern) {
	switch x.Sort {
	case types.SortFunc:
		s.funcs = append(s.funcs, x.Func)
	case types.SortType:
		s.types = append(s.types, deftype{x.Type, x.alias})
	case types.SortComponent:
		s.components = append(s.components, x.Component)
	case types.SortInstance:
		s.instances = append(s.instances, x.Instance)
	default:
		s.coreModules = append(s.coreModules, x.Module)
	}
}

// externShape is the shape of the type of an import or export.
func (v *validator) externShape(x types.Extern) shape {
	switch x.Sort {
	case types.SortFunc:
		return v.funcs[x.Func]
	case types.SortComponent:
		return v.components[x.Component].shape
	case types.SortInstance:
		return v.instances[x.Instance].shape
	case types.SortModule:
		return v.modules[x.Module].shape
	}
	switch t := x.Type; {
	case t.Value != nil:
		return v.values[t.Value].shape
	case t.Func != nil:
		return v.funcs[t.Func]
	case t.Instance != nil:
		return v.instances[t.Instance].shape
	case t.Component != nil:
		return v.components[t.Component].shape
	}
	return leaf
}

// newInstance records the type of an instance.
func (v *validator) newInstance(exports []types.Named, aliases []alias, sh shape) *types.Instance {
	t := &types.Instance{Exports: exports}
	v.instances[t] = &instance{shape: sh, aliases: aliases, index: &index{}}
	return t
}

// export finds an export of an instance.
func (v *validator) export(t *types.Instance, name string) (x extern, ok bool) {
	info := v.instances[t]
	if info.index.at == nil {
		info.index.at = make(map[string]int, len(t.Exports))
		for i := range t.Exports {
			info.index.at[t.Exports[i].Name] = i
		}
	}
	i, ok := info.index.at[name]
	if !ok {
		return x, false
	}
	return extern{t.Exports[i].Extern, info.aliases[i]}, true
}
