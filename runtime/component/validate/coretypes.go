package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// coreType is a type in the index space of core types: of a function or of a module.
type coreType struct {
	fn     *binary.CoreFuncType
	module *types.Module
}

// coreType adds a core type.
func (s *scope) coreType(d *binary.CoreType) error {
	if d.Func != nil {
		s.coreTypes = append(s.coreTypes, coreType{fn: d.Func})
		return nil
	}
	m, err := s.moduleType(d.Module)
	if err != nil {
		return err
	}
	s.coreTypes = append(s.coreTypes, coreType{module: m})
	return nil
}

// moduleType checks the type of a core module, which has an index space of types of its own.
func (s *scope) moduleType(d *binary.ModuleType) (*types.Module, error) {
	var funcs []*binary.CoreFuncType
	m := &types.Module{}
	for _, decl := range d.Declarations {
		var err error
		switch decl := decl.(type) {
		case *binary.CoreType:
			funcs = append(funcs, decl.Func)
		case *binary.AliasOuter:
			var f *binary.CoreFuncType
			if f, err = s.outerFuncType(funcs, decl); err == nil {
				funcs = append(funcs, f)
			}
		case *binary.CoreImport:
			var t types.CoreExtern
			if t, err = coreExtern(funcs, decl.Type); err == nil {
				m.Imports = append(m.Imports, types.CoreImport{Module: decl.Module, Name: decl.Name, CoreExtern: t})
			}
		case *binary.CoreExportDecl:
			var t types.CoreExtern
			if t, err = coreExtern(funcs, decl.Type); err == nil {
				m.Exports = append(m.Exports, types.CoreExport{Name: decl.Name, CoreExtern: t})
			}
		}
		if err != nil {
			return nil, at(decl, err)
		}
	}
	return m, s.v.addModule(m)
}

// outerFuncType finds the type that an alias within the type of a core module is of.
func (s *scope) outerFuncType(own []*binary.CoreFuncType, d *binary.AliasOuter) (*binary.CoreFuncType, error) {
	if d.Count == 0 {
		return item(own, d.Sort, d.Index)
	}
	from := s
	for n := d.Count - 1; n > 0 && from != nil; n-- {
		from = from.outer
	}
	if from == nil {
		return nil, fmt.Errorf("an outer alias leaves %d components and types: there are not that many around it", d.Count)
	}
	t, err := item(from.coreTypes, d.Sort, d.Index)
	if err == nil && t.fn == nil {
		err = errors.New("the type of a core module cannot be used within another")
	}
	return t.fn, err
}

// coreExtern resolves the type of a core import or export.
func coreExtern(funcs []*binary.CoreFuncType, d binary.CoreExtern) (types.CoreExtern, error) {
	t := d.CoreExtern
	switch t.Sort {
	case types.CoreFunction, types.CoreTag:
		f, err := item(funcs, binary.SortCoreType, d.Index)
		if err != nil {
			return t, err
		}
		t.Params, t.Results = f.Params, f.Results
		if t.Sort == types.CoreTag && t.Results != "" {
			return t, errors.New("a tag cannot have results")
		}
	case types.CoreTable:
		return t, checkLimits(t.Limits, 1<<32-1)
	case types.CoreMemory:
		if t.Limits.Shared && !t.Limits.HasMax {
			return t, errors.New("a shared memory must have a maximum")
		}
		return t, checkLimits(t.Limits, 1<<16)
	}
	return t, nil
}

func checkLimits(l types.Limits, most uint64) error {
	switch {
	case l.Address:
		return nil // it cannot be used; larger sizes are no matter
	case l.HasMax && l.Max < l.Min:
		return fmt.Errorf("a minimum of %d is more than the maximum of %d", l.Min, l.Max)
	case l.Min > most || l.Max > most:
		return fmt.Errorf("a size of %d: at most %d", max(l.Min, l.Max), most)
	}
	return nil
}

// addModule checks that no two imports or exports of a core module have the same name, and records the type.
func (v *validator) addModule(m *types.Module) error {
	type importName struct{ module, name string }
	imports := make(map[importName]bool, len(m.Imports))
	for _, im := range m.Imports {
		n := importName{im.Module, im.Name}
		if imports[n] {
			return fmt.Errorf("a core module in a component cannot import %q %q twice", im.Module, im.Name)
		}
		imports[n] = true
	}
	info := &module{shape{size: 1 + len(m.Imports) + len(m.Exports), depth: 1}, coreExports(m.Exports)}
	if len(info.exports) != len(m.Exports) {
		return errors.New("a core module exports the same name twice")
	}
	v.modules[m] = info
	return new(shape).add(info.shape)
}

// moduleSubtype checks that a core module can be used as another: it may import less and export more.
func moduleSubtype(w *work, have, want *types.Module) error {
	if err := w.do(len(have.Imports) + len(want.Imports) + len(have.Exports) + len(want.Exports)); err != nil {
		return err
	}
	type importName struct{ module, name string }
	given := make(map[importName]types.CoreExtern, len(want.Imports))
	for _, im := range want.Imports {
		given[importName{im.Module, im.Name}] = im.CoreExtern
	}
	for _, im := range have.Imports {
		t, ok := given[importName{im.Module, im.Name}]
		if !ok {
			return fmt.Errorf("it imports %q %q, which it should not", im.Module, im.Name)
		}
		if err := coreSubtype(t, im.CoreExtern); err != nil {
			return fmt.Errorf("import %q %q: %w", im.Module, im.Name, err)
		}
	}
	exports := coreExports(have.Exports)
	for _, e := range want.Exports {
		t, ok := exports[e.Name]
		if !ok {
			return fmt.Errorf("export %q is missing", e.Name)
		}
		if err := coreSubtype(t, e.CoreExtern); err != nil {
			return fmt.Errorf("export %q: %w", e.Name, err)
		}
	}
	return nil
}

// coreSubtype checks that one thing of core code can be imported as another. WebAssembly, section 3.5, "Matching".
func coreSubtype(have, want types.CoreExtern) error {
	if have.Sort != want.Sort {
		return fmt.Errorf("wanted %s, found %s", want.Sort, have.Sort)
	}
	switch want.Sort {
	case types.CoreFunction, types.CoreTag:
		if have.Params != want.Params || have.Results != want.Results {
			return fmt.Errorf("wanted type %s, found %s", coreFuncString(want), coreFuncString(have))
		}
	case types.CoreGlobal:
		if have.Value != want.Value || have.Mutable != want.Mutable {
			return fmt.Errorf("wanted %s, found %s", coreGlobalString(want), coreGlobalString(have))
		}
	case types.CoreTable:
		if have.Value != want.Value {
			return fmt.Errorf("wanted a table of %s, found one of %s", coreValueString(want.Value), coreValueString(have.Value))
		}
		return limitsMatch(have.Limits, want.Limits)
	case types.CoreMemory:
		return limitsMatch(have.Limits, want.Limits)
	}
	return nil
}

func limitsMatch(have, want types.Limits) error {
	switch {
	case have.Address != want.Address:
		return errors.New("one has addresses of 64 bits and the other has not")
	case have.Shared != want.Shared:
		return errors.New("one is shared and the other is not")
	case have.Min < want.Min:
		return fmt.Errorf("wanted a minimum of %d, found %d", want.Min, have.Min)
	case want.HasMax && !have.HasMax:
		return fmt.Errorf("wanted a maximum of %d, found none", want.Max)
	case want.HasMax && have.Max > want.Max:
		return fmt.Errorf("wanted a maximum of %d, found %d", want.Max, have.Max)
	}
	return nil
}

func coreExports(all []types.CoreExport) map[string]types.CoreExtern {
	m := make(map[string]types.CoreExtern, len(all))
	for _, e := range all {
		m[e.Name] = e.CoreExtern
	}
	return m
}

// coreFuncString is a type of a core function in WebAssembly's text format.
func coreFuncString(t types.CoreExtern) string {
	s := "(func"
	for _, list := range [...]struct{ what, values string }{{"param", t.Params}, {"result", t.Results}} {
		if list.values == "" {
			continue
		}
		s += " (" + list.what
		for _, v := range []byte(list.values) {
			s += " " + coreValueString(v)
		}
		s += ")"
	}
	return s + ")"
}

func coreGlobalString(t types.CoreExtern) string {
	if t.Mutable {
		return "(mut " + coreValueString(t.Value) + ")"
	}
	return coreValueString(t.Value)
}

func coreValueString(v byte) string {
	switch v {
	case i32:
		return "i32"
	case i64:
		return "i64"
	case f32:
		return "f32"
	case f64:
		return "f64"
	case 0x7b:
		return "v128"
	case 0x70:
		return "funcref"
	case 0x6f:
		return "externref"
	}
	return fmt.Sprintf("%#02x", v)
}
