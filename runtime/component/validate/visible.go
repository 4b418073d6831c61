package validate

import "github.com/mayfly-run/mayfly/runtime/component/types"

// name checks that an import or export refers only to types that have a name outside of the component, and gives such a name to
// those that it brings. Explainer.md, "External Visibility of Types".
func (s *scope) name(side *side, x extern) (bool, error) {
	if err := s.v.work.do(1); err != nil {
		return false, err
	}
	switch x.Sort {
	case types.SortFunc:
		return s.v.funcNamed(x.Func, side.named)
	case types.SortInstance:
		aliases := s.v.instances[x.Instance].aliases
		for i, e := range x.Instance.Exports {
			call(e.Type.Resource, e.Name)
			if ok, err := s.name(side, extern{e.Extern, aliases[i]}); !ok || err != nil {
				return false, err
			}
		}
	case types.SortType:
		if ok, err := s.v.partsNamed(x.Type, side.named); !ok || err != nil {
			return false, err
		}
		n := nameable(x)
		if o, ok := s.v.origins[n]; ok && side == &s.imports && s.exports.named[o] && !s.imports.named[o] {
			return false, nil // the name is that of an export, which imports cannot depend on
		}
		if n != nil {
			side.named[n] = true
			s.exports.named[n] = true // what is imported can be exported
			return true, s.v.work.do(keepWork)
		}
	}
	return true, nil
}

// partsNamed reports whether the types that a type refers to have names.
func (v *validator) partsNamed(t types.Defined, named map[any]bool) (bool, error) {
	switch {
	case t.Value != nil:
		switch t.Value.Kind {
		case types.Record:
			return v.fieldsNamed(t.Value.Fields, named)
		case types.Variant:
			return v.fieldsNamed(t.Value.Cases, named)
		case types.Flags, types.Enum:
			return true, nil
		}
		return v.valueNamed(t.Value, named)
	case t.Func != nil:
		return v.funcNamed(t.Func, named)
	case t.Instance != nil:
		return v.instanceNamed(t.Instance, named)
	}
	// A resource type is named by what brings it, and the type of a component has been checked by itself.
	return true, nil
}

// instanceNamed reports whether the types that the type of an instance refers to have names, be it in the instance.
func (v *validator) instanceNamed(t *types.Instance, named map[any]bool) (ok bool, err error) {
	var added []any
	defer func() {
		for _, n := range added {
			delete(named, n)
		}
	}()
	aliases := v.instances[t].aliases
	for i, e := range t.Exports {
		if err := v.work.do(1); err != nil {
			return false, err
		}
		ok := true
		switch e.Sort {
		case types.SortFunc:
			ok, err = v.funcNamed(e.Func, named)
		case types.SortInstance:
			ok, err = v.instanceNamed(e.Instance, named)
		case types.SortType:
			ok, err = v.partsNamed(e.Type, named)
			if n := nameable(extern{e.Extern, aliases[i]}); ok && n != nil && !named[n] {
				named[n] = true
				added = append(added, n)
			}
		}
		if !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (v *validator) funcNamed(t *types.Func, named map[any]bool) (bool, error) {
	if ok, err := v.fieldsNamed(t.Params, named); !ok || err != nil {
		return false, err
	}
	return v.valueNamed(t.Result, named)
}

func (v *validator) fieldsNamed(fields []types.Field, named map[any]bool) (bool, error) {
	for _, f := range fields {
		if ok, err := v.valueNamed(f.Type, named); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// valueNamed reports whether a type has a name, or needs none and is made of such types.
func (v *validator) valueNamed(t *types.Type, named map[any]bool) (bool, error) {
	if err := v.work.do(1); err != nil {
		return false, err
	}
	if t == nil || t.Kind.Primitive() {
		return true, nil
	}
	switch t.Kind {
	case types.Record, types.Variant, types.Flags, types.Enum:
		return named[t], nil
	case types.Own, types.Borrow:
		return named[token{t.Resource, v.values[t].alias}], nil
	case types.Tuple:
		return v.fieldsNamed(t.Fields, named)
	}
	for _, part := range [...]*types.Type{t.Elem, t.OK, t.Err} {
		if ok, err := v.valueNamed(part, named); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}
