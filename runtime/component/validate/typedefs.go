package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// deftype adds a type to the index space of types.
func (s *scope) deftype(d *binary.Type) (err error) {
	var t deftype
	switch {
	case d.Value != nil:
		t.Value, err = s.valueType(d.Value)
	case d.Func != nil:
		t.Func, err = s.funcType(d.Func)
	case d.Component != nil:
		t.Component, err = s.componentType(d)
	case d.Instance != nil:
		t.Instance, err = s.instanceType(d)
	case d.Resource != nil:
		t.Resource, err = s.newResource(d.Resource)
	}
	if err != nil {
		return err
	}
	s.types = append(s.types, t)
	return nil
}

func (s *scope) funcType(d *binary.FuncType) (*types.Func, error) {
	t := &types.Func{}
	sh := leaf
	var err error
	if len(d.Params) > 0 {
		if t.Params, err = s.fields(d.Params, true, "parameter"); err != nil {
			return nil, err
		}
	}
	if t.Result, err = s.ref(d.Result); err != nil {
		return nil, err
	}
	if t.Result != nil && s.v.values[t.Result].borrows {
		return nil, errors.New("the result of a function cannot hold a borrowed handle")
	}
	for _, p := range t.Params {
		if err := sh.add(s.v.values[p.Type].shape); err != nil {
			return nil, err
		}
	}
	if t.Result != nil {
		if err := sh.add(s.v.values[t.Result].shape); err != nil {
			return nil, err
		}
	}
	s.v.funcs[t] = sh
	return t, nil
}

// newResource defines a resource type.
func (s *scope) newResource(d *binary.ResourceType) (*types.Resource, error) {
	if s.kind != inComponent {
		return nil, errors.New("a resource type can be defined in a component only; in a type it can be an import or export of its own")
	}
	switch d.Rep {
	case i32:
	case i64:
		return nil, unsupported{"resources represented by i64 are not supported"}
	default:
		return nil, errors.New("a resource can only be represented by i32")
	}
	if d.Destructor != nil {
		f, err := item(s.coreFuncs, binary.SortCoreFunc, *d.Destructor)
		if err != nil {
			return nil, fmt.Errorf("destructor: %w", err)
		}
		if f.Params != oneI32 || f.Results != "" {
			return nil, fmt.Errorf("destructor: core function %d has the type %s and not (func (param i32))", *d.Destructor, coreFuncString(f))
		}
	}
	r := &types.Resource{}
	return r, s.ownResource(r, true)
}

// componentType checks the type of a component.
func (s *scope) componentType(d *binary.Type) (*types.Component, error) {
	in, err := s.declarations(inComponentType, d.Component.Declarations)
	if err != nil {
		return nil, err
	}
	return in.finish()
}

// instanceType checks the type of an instance.
func (s *scope) instanceType(d *binary.Type) (*types.Instance, error) {
	in, err := s.declarations(inInstanceType, d.Instance.Declarations)
	if err != nil {
		return nil, err
	}
	t := s.v.newInstance(in.exports.items, in.exports.aliases, in.shape)
	s.v.instances[t].fresh = in.order
	return t, nil
}

func (s *scope) declarations(k kind, all []binary.Definition) (*scope, error) {
	in, err := s.v.newScope(k, s)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if err := in.define(d); err != nil {
			if _, ok := err.(*Error); ok {
				return nil, err
			}
			return nil, at(d, err)
		}
	}
	return in, nil
}

// aliasExport takes an export out of an instance.
func (s *scope) aliasExport(d *binary.AliasExport) error {
	if s.kind != inComponent && d.Sort != binary.SortType && d.Sort != binary.SortInstance {
		return fmt.Errorf("an alias in a type can be of a type or an instance, and not of a %s", d.Sort)
	}
	i, err := item(s.instances, binary.SortInstance, d.Instance)
	if err != nil {
		return err
	}
	x, ok := s.v.export(i, d.Name)
	if !ok {
		return fmt.Errorf("instance %d has no export %q", d.Instance, d.Name)
	}
	if want := sortOf[d.Sort]; x.Sort != want {
		return fmt.Errorf("export %q of instance %d is a %s and not a %s", d.Name, d.Instance, x.Sort, want)
	}
	s.declare(x)
	return nil
}

// sortOf is what a sort is called among the types of imports and exports.
var sortOf = map[binary.Sort]types.Sort{
	binary.SortFunc: types.SortFunc, binary.SortType: types.SortType, binary.SortComponent: types.SortComponent,
	binary.SortInstance: types.SortInstance, binary.SortCoreModule: types.SortModule, binary.SortValue: types.SortValue,
}

// aliasOuter takes a definition from around this scope. Binary.md, "Alias Definitions".
func (s *scope) aliasOuter(d *binary.AliasOuter) error {
	if s.kind != inComponent && d.Sort != binary.SortType && d.Sort != binary.SortCoreType {
		return fmt.Errorf("an outer alias in a type can be of a type, and not of a %s", d.Sort)
	}
	from, leaves := s, false
	for n := d.Count; n > 0; n-- {
		leaves = from.kind == inComponent // whether the last step leaves a component
		if from = from.outer; from == nil {
			return fmt.Errorf("an outer alias leaves %d components and types: there are not that many around it", d.Count)
		}
	}
	switch d.Sort {
	case binary.SortCoreModule:
		m, err := item(from.coreModules, d.Sort, d.Index)
		if err != nil {
			return err
		}
		s.coreModules = append(s.coreModules, m)
		return nil
	case binary.SortCoreType:
		t, err := item(from.coreTypes, d.Sort, d.Index)
		if err != nil {
			return err
		}
		s.coreTypes = append(s.coreTypes, t)
		return nil
	case binary.SortComponent:
		c, err := item(from.components, d.Sort, d.Index)
		if err != nil {
			return err
		}
		s.components = append(s.components, c)
		return nil
	}
	t, err := item(from.types, d.Sort, d.Index)
	if err != nil {
		return err
	}
	if leaves {
		f := s.v.newFree()
		if err := f.defined(t.Defined); err != nil {
			return err
		}
		if len(f.resources()) > 0 {
			return fmt.Errorf("type %d refers to a resource type of another component: import the type instead", d.Index)
		}
	}
	s.types = append(s.types, t)
	return nil
}
