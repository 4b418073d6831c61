package validate

import "github.com/mayfly-run/mayfly/runtime/component/types"

// free finds the resource types that a type refers to and does not bring itself.
type free struct {
	v     *validator
	found map[*types.Resource]bool
	bound map[*types.Resource]bool
	seen  map[any]bool
}

func (v *validator) newFree() *free {
	return &free{v: v, found: map[*types.Resource]bool{}, bound: map[*types.Resource]bool{}, seen: map[any]bool{}}
}

// resources are those that are free. What a type brings is used nowhere outside of it, so it is no matter where it was found.
func (f *free) resources() map[*types.Resource]bool {
	for r := range f.bound {
		delete(f.found, r)
	}
	return f.found
}

func (f *free) visit(p any) (again bool, err error) {
	if f.seen[p] {
		return true, nil
	}
	f.seen[p] = true
	return false, f.v.work.do(keepWork)
}

func (f *free) value(t *types.Type) error {
	if t == nil || t.Kind.Primitive() {
		return nil
	}
	if again, err := f.visit(t); again || err != nil {
		return err
	}
	if t.Resource != nil {
		f.found[t.Resource] = true
	}
	for _, part := range [...]*types.Type{t.Elem, t.OK, t.Err} {
		if err := f.value(part); err != nil {
			return err
		}
	}
	if err := f.fields(t.Fields); err != nil {
		return err
	}
	return f.fields(t.Cases)
}

func (f *free) fields(fields []types.Field) error {
	if err := f.v.work.do(len(fields)); err != nil {
		return err
	}
	for _, p := range fields {
		if err := f.value(p.Type); err != nil {
			return err
		}
	}
	return nil
}

func (f *free) fn(t *types.Func) error {
	if again, err := f.visit(t); again || err != nil {
		return err
	}
	if err := f.fields(t.Params); err != nil {
		return err
	}
	return f.value(t.Result)
}

func (f *free) instance(t *types.Instance) error {
	if again, err := f.visit(t); again || err != nil {
		return err
	}
	for _, r := range f.v.instances[t].fresh {
		f.bound[r] = true
	}
	return f.items(t.Exports)
}

func (f *free) component(t *types.Component) error {
	if again, err := f.visit(t); again || err != nil {
		return err
	}
	info := f.v.components[t]
	for _, all := range [...][]*types.Resource{info.imported, info.defined} {
		for _, r := range all {
			f.bound[r] = true
		}
	}
	if err := f.items(t.Imports); err != nil {
		return err
	}
	return f.items(t.Exports)
}

func (f *free) items(all []types.Named) error {
	if err := f.v.work.do(len(all)); err != nil {
		return err
	}
	for _, x := range all {
		if err := f.extern(x.Extern); err != nil {
			return err
		}
	}
	return nil
}

func (f *free) extern(x types.Extern) error {
	switch x.Sort {
	case types.SortFunc:
		return f.fn(x.Func)
	case types.SortComponent:
		return f.component(x.Component)
	case types.SortInstance:
		return f.instance(x.Instance)
	case types.SortType:
		return f.defined(x.Type)
	}
	return nil
}

func (f *free) defined(t types.Defined) error {
	switch {
	case t.Value != nil:
		return f.value(t.Value)
	case t.Func != nil:
		return f.fn(t.Func)
	case t.Instance != nil:
		return f.instance(t.Instance)
	case t.Component != nil:
		return f.component(t.Component)
	case t.Resource != nil:
		f.found[t.Resource] = true
	}
	return nil
}
