package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// Canonical ABI, MAX_FLAT_PARAMS and MAX_FLAT_RESULTS.
const (
	maxFlatParams  = 16
	maxFlatResults = 1
)

// lift makes a function of a core function. Canonical ABI, "canon lift".
func (s *scope) lift(d *binary.Lift) error {
	t, err := item(s.types, binary.SortType, d.Type)
	if err == nil && t.Func == nil {
		err = fmt.Errorf("type %d is not the type of a function", d.Type)
	}
	if err != nil {
		return fmt.Errorf("lift: %w", err)
	}
	f, err := item(s.coreFuncs, binary.SortCoreFunc, d.CoreFunc)
	if err == nil {
		err = s.checkOptions(&d.Options)
	}
	if err == nil && d.Options.PostReturn != nil {
		var p types.CoreExtern
		if p, err = item(s.coreFuncs, binary.SortCoreFunc, *d.Options.PostReturn); err == nil && (p.Params != f.Results || p.Results != "") {
			err = fmt.Errorf("post-return: core function %d has the type %s; it must take what the lifted function returns, and return nothing",
				*d.Options.PostReturn, coreFuncString(p))
		}
	}
	if err != nil {
		return fmt.Errorf("lift: %w", err)
	}
	want := s.v.flatten(t.Func, true)
	if err := want.check(&d.Options); err != nil {
		return fmt.Errorf("lift: %w", err)
	}
	if f.Params != want.Params || f.Results != want.Results {
		return fmt.Errorf("lift: core function %d has the type %s, where the type of the function asks for %s",
			d.CoreFunc, coreFuncString(f), coreFuncString(want.CoreExtern))
	}
	s.funcs = append(s.funcs, t.Func)
	return nil
}

// lower makes a core function of a function. Canonical ABI, "canon lower".
func (s *scope) lower(d *binary.Lower) error {
	f, err := item(s.funcs, binary.SortFunc, d.Func)
	if err == nil {
		err = s.checkOptions(&d.Options)
	}
	if err == nil && d.Options.PostReturn != nil {
		err = errors.New("post-return can be given for a lift only")
	}
	if err != nil {
		return fmt.Errorf("lower: %w", err)
	}
	flat := s.v.flatten(f, false)
	if err := flat.check(&d.Options); err != nil {
		return fmt.Errorf("lower: %w", err)
	}
	s.coreFuncs = append(s.coreFuncs, flat.CoreExtern)
	return nil
}

// flat is the core type of a lifted or lowered function, and what it needs to be one.
type flat struct {
	types.CoreExtern
	memory, realloc bool
}

func (f *flat) check(o *binary.Options) error {
	switch {
	case f.memory && o.Memory == nil:
		return errors.New("the option memory is missing: there are values that do not fit into core values")
	case f.realloc && o.Realloc == nil:
		return errors.New("the option realloc is missing: there are values to be placed in the component's memory")
	}
	return nil
}

// flatten finds the core type of a function. Canonical ABI, flatten_functype.
func (v *validator) flatten(t *types.Func, lift bool) flat {
	params := value{}
	for _, p := range t.Params {
		info := v.values[p.Type]
		params.flatten(info)
		params.pointers = params.pointers || info.pointers
	}
	f := flat{CoreExtern: types.CoreExtern{Sort: types.CoreFunction, Params: params.flat}}
	f.memory = params.pointers || params.overflows
	f.realloc = lift && f.memory
	if params.overflows {
		f.Params = oneI32
	}
	if t.Result == nil {
		return f
	}
	r := v.values[t.Result]
	f.memory = f.memory || r.pointers
	f.realloc = f.realloc || !lift && r.pointers
	switch {
	case !r.overflows && len(r.flat) <= maxFlatResults:
		f.Results = r.flat
	case lift:
		f.memory, f.Results = true, oneI32
	default:
		f.memory, f.Params = true, f.Params+oneI32
	}
	return f
}

// checkOptions checks the options of a lift or lower that do not depend on the function.
func (s *scope) checkOptions(o *binary.Options) error {
	if o.Memory != nil {
		m, err := item(s.coreMemories, binary.SortCoreMemory, *o.Memory)
		switch {
		case err != nil:
			return err
		case m.Limits.Address:
			return unsupported{"memories of 64 bits are not supported"}
		case m.Limits.Shared:
			return errors.New("the memory is shared, which is not possible yet")
		}
	}
	if o.Realloc != nil {
		f, err := item(s.coreFuncs, binary.SortCoreFunc, *o.Realloc)
		if err != nil {
			return err
		}
		if o.Memory == nil {
			return errors.New("the option realloc is given without memory")
		}
		if f.Params != oneI32+oneI32+oneI32+oneI32 || f.Results != oneI32 {
			return fmt.Errorf("realloc: core function %d has the type %s and not (func (param i32 i32 i32 i32) (result i32))",
				*o.Realloc, coreFuncString(f))
		}
	}
	return nil
}

// resourceFunc makes a core function of one of the built-ins for resources.
func (s *scope) resourceFunc(d *binary.ResourceFunc) error {
	t, err := s.resourceType(d.Type)
	if err != nil {
		return fmt.Errorf("%s: %w", d.Op, err)
	}
	f := types.CoreExtern{Sort: types.CoreFunction, Params: oneI32, Results: oneI32}
	if d.Op == binary.ResourceDrop {
		f.Results = ""
	} else if !s.defined[t.Resource] {
		return fmt.Errorf("%s: type %d is not a resource type that this component defines", d.Op, d.Type)
	}
	s.coreFuncs = append(s.coreFuncs, f)
	return nil
}
