package component

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/validate"
)

// Check reports what a component imports and the host does not provide, used or not: a component that fails the check may load all the
// same. Each of the errors it returns together wraps ErrImport.
func (h *Host) Check(d *Definition) error {
	var errs []error
	bound := validate.Binding{}
	for _, im := range d.typ.Imports {
		have, ok := h.extern(im.Name)
		switch {
		case ok:
			if err := validate.Subtype(asWanted(have, im.Extern), im.Extern, bound); err != nil {
				errs = append(errs, fmt.Errorf("%w: %s: %w", ErrImport, im.Name, err))
			}
		case !needless(im.Extern):
			errs = append(errs, &lack{host: h, iface: im.Name})
		}
	}
	return errors.Join(errs...)
}

// extern is what the host provides under a name.
func (h *Host) extern(name string) (types.Extern, bool) {
	if p := h.find(name); p != nil {
		return types.Extern{Sort: types.SortInstance, Instance: p.kind}, true
	}
	if p := h.find(""); p != nil {
		return p.kind.Export(name)
	}
	return types.Extern{}, false
}

// needless reports whether an import can be had of nobody: a type that the component states itself, and an instance that has nothing
// else.
func needless(x types.Extern) bool {
	switch x.Sort {
	case types.SortType:
		return x.Type.Resource == nil
	case types.SortInstance:
		return !slices.ContainsFunc(x.Instance.Exports, func(e types.Named) bool { return !needless(e.Extern) })
	}
	return false
}

// asWanted is what there is, less what makes no difference to a host: what parameters are called, and types that have another name there,
// or none.
func asWanted(have, want types.Extern) types.Extern {
	switch {
	case have.Sort != want.Sort:
	case have.Sort == types.SortFunc && len(have.Func.Params) == len(want.Func.Params):
		f := &types.Func{Params: slices.Clone(have.Func.Params), Result: have.Func.Result}
		for i := range f.Params {
			f.Params[i].Name = want.Func.Params[i].Name
		}
		have.Func = f
	case have.Sort == types.SortInstance:
		i := &types.Instance{}
		resources := map[*types.Resource]*types.Resource{} // that are wanted, to those that there are
		for _, w := range want.Instance.Exports {
			h, ok := have.Instance.Export(w.Name)
			switch {
			case ok:
				h = asWanted(h, w.Extern)
			case w.Sort == types.SortType && w.Type.Resource != nil && resources[w.Type.Resource] != nil:
				h = types.Extern{Sort: types.SortType, Type: types.Defined{Resource: resources[w.Type.Resource]}}
			case needless(w.Extern):
				h = w.Extern
			default:
				continue
			}
			if ok && w.Sort == types.SortType && h.Sort == types.SortType {
				resources[w.Type.Resource] = h.Type.Resource
			}
			i.Exports = append(i.Exports, types.Named{Name: w.Name, Extern: h})
		}
		have.Instance = i
	}
	return have
}
