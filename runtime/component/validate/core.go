package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// coreInstance is the type of a core instance: what it exports.
type coreInstance map[string]types.CoreExtern

// coreModule reads what a core module imports and exports.
func (s *scope) coreModule(d *binary.CoreModule) error {
	read, err := weave.Read(d.Bytes)
	if err != nil {
		return moduleError(d, err)
	}
	m := &types.Module{}
	for _, im := range read.Imports {
		m.Imports = append(m.Imports, types.CoreImport{Module: im.Module, Name: im.Name, CoreExtern: externOf(im.Extern)})
	}
	for _, e := range read.Exports() {
		m.Exports = append(m.Exports, types.CoreExport{Name: e.Name, CoreExtern: externOf(e.Extern)})
	}
	if err := s.v.addModule(m); err != nil {
		return err
	}
	s.coreModules = append(s.coreModules, m)
	return nil
}

// moduleError tells what is wrong with a core module, and where in the component.
func moduleError(d *binary.CoreModule, err error) error {
	var e *weave.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("core module: %w", err)
	}
	where := "core module"
	if e.Section != "" {
		where += ", in its " + e.Section + " section"
	}
	return &Error{Offset: d.At() + e.Offset, Reason: where + ": " + e.Reason, Limit: e.Limit, Unsupported: e.Unsupported}
}

func externOf(x weave.Extern) types.CoreExtern {
	t := types.CoreExtern{Sort: types.CoreSort(x.Kind)}
	switch t.Sort {
	case types.CoreFunction, types.CoreTag:
		t.Params, t.Results = string(x.Type.Params), string(x.Type.Results)
	case types.CoreTable:
		t.Value, t.Limits = x.Table.Element, limitsOf(x.Table.Limits)
	case types.CoreMemory:
		t.Limits = limitsOf(x.Memory)
	case types.CoreGlobal:
		t.Value, t.Mutable = x.Global.Type, x.Global.Mutable
	}
	return t
}

func limitsOf(l weave.Limits) types.Limits {
	return types.Limits{Min: l.Min, Max: l.Max, HasMax: l.HasMax, Shared: l.Shared, Address: l.Is64}
}

// coreInstantiate makes an instance of a core module.
func (s *scope) coreInstantiate(d *binary.CoreInstantiate) error {
	m, err := item(s.coreModules, binary.SortCoreModule, d.Module)
	if err != nil {
		return err
	}
	args := make(map[string]coreInstance, len(d.Args))
	for _, a := range d.Args {
		if _, ok := args[a.Name]; ok {
			return fmt.Errorf("argument %q is given twice", a.Name)
		}
		if args[a.Name], err = item(s.coreInstances, binary.SortCoreInstance, a.Instance); err != nil {
			return fmt.Errorf("argument %q: %w", a.Name, err)
		}
	}
	if err := s.v.work.do(len(m.Imports)); err != nil {
		return err
	}
	for _, im := range m.Imports {
		arg, ok := args[im.Module]
		if !ok {
			return fmt.Errorf("core module %d imports %q from %q, for which no argument is given", d.Module, im.Name, im.Module)
		}
		have, ok := arg[im.Name]
		if !ok {
			return fmt.Errorf("core module %d imports %q from %q, and the argument does not export it", d.Module, im.Name, im.Module)
		}
		if err := coreSubtype(have, im.CoreExtern); err != nil {
			return fmt.Errorf("core module %d imports %q from %q: %w", d.Module, im.Name, im.Module, err)
		}
	}
	return s.addCoreInstance(s.v.modules[m].exports)
}

func (s *scope) addCoreInstance(i coreInstance) error {
	if s.instantiated++; s.instantiated > maxInstances {
		return limited{fmt.Sprintf("a component makes more than %d instances, counting those that they make", maxInstances)}
	}
	s.coreInstances = append(s.coreInstances, i)
	return nil
}

// coreSpace is the index space of what core instances export.
func (s *scope) coreSpace(sort binary.Sort) (*[]types.CoreExtern, types.CoreSort) {
	switch sort {
	case binary.SortCoreFunc:
		return &s.coreFuncs, types.CoreFunction
	case binary.SortCoreTable:
		return &s.coreTables, types.CoreTable
	case binary.SortCoreMemory:
		return &s.coreMemories, types.CoreMemory
	case binary.SortCoreGlobal:
		return &s.coreGlobals, types.CoreGlobal
	}
	return &s.coreTags, types.CoreTag
}

// coreInline makes a core instance of things that are there.
func (s *scope) coreInline(d *binary.CoreInline) error {
	i := make(coreInstance, len(d.Exports))
	for _, e := range d.Exports {
		if _, ok := i[e.Name]; ok {
			return fmt.Errorf("core instance: export %q is given twice", e.Name)
		}
		space, _ := s.coreSpace(e.Sort)
		t, err := item(*space, e.Sort, e.Index)
		if err != nil {
			return fmt.Errorf("core instance: export %q: %w", e.Name, err)
		}
		i[e.Name] = t
	}
	return s.addCoreInstance(i)
}

// aliasCoreExport takes an export out of a core instance.
func (s *scope) aliasCoreExport(d *binary.AliasCoreExport) error {
	i, err := item(s.coreInstances, binary.SortCoreInstance, d.Instance)
	if err != nil {
		return err
	}
	t, ok := i[d.Name]
	if !ok {
		return fmt.Errorf("core instance %d has no export %q", d.Instance, d.Name)
	}
	space, sort := s.coreSpace(d.Sort)
	if t.Sort != sort {
		return fmt.Errorf("export %q of core instance %d is a %s and not a %s", d.Name, d.Instance, t.Sort, sort)
	}
	*space = append(*space, t)
	return nil
}
