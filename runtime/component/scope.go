package component

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// scope is a component that is being evaluated, or a type within one: its index spaces. The component is valid, so indices are those of
// definitions that came before.
type scope struct {
	linker *linker
	outer  *scope
	number int             // of the component instance; 0 in a type
	args   map[string]item // what it imports; nil: the host is to provide it
	names  *binary.Names

	modules    []*module
	coreInsts  []*coreInst
	coreItems  [binary.SortCoreTag + 1][]coreItem
	types      []*typ
	funcs      []*fn
	components []*closure
	insts      []*inst
	exports    *inst
}

// add gives an item the next index of its sort.
func (s *scope) add(it item) {
	switch {
	case it.fn != nil:
		s.funcs = append(s.funcs, it.fn)
	case it.typ != nil:
		s.types = append(s.types, it.typ)
	case it.component != nil:
		s.components = append(s.components, it.component)
	case it.inst != nil:
		s.insts = append(s.insts, it.inst)
	case it.module != nil:
		s.modules = append(s.modules, it.module)
	}
}

// item is what an index refers to.
func (s *scope) item(i binary.SortIndex) (item, error) {
	switch i.Sort {
	case binary.SortFunc:
		return item{fn: s.funcs[i.Index]}, nil
	case binary.SortType:
		return item{typ: s.types[i.Index]}, nil
	case binary.SortComponent:
		return item{component: s.components[i.Index]}, nil
	case binary.SortInstance:
		return item{inst: s.insts[i.Index]}, nil
	case binary.SortCoreModule:
		return item{module: s.modules[i.Index]}, nil
	}
	return item{}, fmt.Errorf("a %v cannot be imported or exported", i.Sort)
}

// define evaluates a definition.
func (s *scope) define(d binary.Definition) error {
	switch d := d.(type) {
	case *binary.CoreModule:
		s.modules = append(s.modules, s.linker.module(d))
	case *binary.CoreInstantiate:
		return s.coreInstantiate(d)
	case *binary.CoreInline:
		return s.coreInline(d)
	case *binary.CoreType:
		return nil // of use to validation only
	case *binary.Component:
		s.components = append(s.components, &closure{component: d, outer: s})
	case *binary.Instantiate:
		return s.instantiate(d)
	case *binary.Inline:
		return s.inline(d)
	case *binary.AliasExport:
		it, ok := s.insts[d.Instance].items[d.Name]
		if !ok {
			return fmt.Errorf("alias of %q: the instance has no such export", d.Name)
		}
		s.add(it)
	case *binary.AliasCoreExport:
		it, ok := s.coreInsts[d.Instance].export(d.Name)
		if !ok {
			return fmt.Errorf("alias of %q: the core instance has no such export", d.Name)
		}
		s.coreItems[d.Sort] = append(s.coreItems[d.Sort], it)
	case *binary.AliasOuter:
		s.aliasOuter(d)
	case *binary.Type:
		s.defineType(d)
	case *binary.Lift:
		return s.lift(d)
	case *binary.Lower:
		return s.lower(d)
	case *binary.ResourceFunc:
		it := s.linker.resourceFunc(d.Op, s.types[d.Type].resource, s.number)
		s.coreItems[binary.SortCoreFunc] = append(s.coreItems[binary.SortCoreFunc], it)
	case *binary.Import:
		return s.imports(d)
	case *binary.Export:
		it, err := s.item(d.SortIndex)
		if err != nil {
			return err
		}
		it.describe(d.Name)
		s.exports.add(d.Name, it)
		s.add(it)
	default:
		return fmt.Errorf("at byte %#x: a definition that is not known here", d.At())
	}
	return nil
}

// describe names what has been exported, for messages.
func (it item) describe(name string) {
	switch {
	case it.fn != nil && it.fn.name == "":
		it.fn.name = name
	case it.typ != nil && it.typ.resource != nil && it.typ.resource.Name == "":
		it.typ.resource.Name = name
	}
}

func (s *scope) imports(d *binary.Import) error {
	if s.args == nil {
		it, err := s.fromHost(d)
		s.add(it)
		return err
	}
	it, ok := s.args[d.Name]
	if !ok {
		return fmt.Errorf("import %q: it is not among the arguments of the instantiation", d.Name)
	}
	s.add(it)
	return nil
}

func (s *scope) instantiate(d *binary.Instantiate) error {
	args := make(map[string]item, len(d.Args))
	for _, a := range d.Args {
		it, err := s.item(a.SortIndex)
		if err != nil {
			return err
		}
		args[a.Name] = it
	}
	i, err := s.linker.instantiate(s.components[d.Component], args, s.number)
	if err != nil {
		return err
	}
	s.insts = append(s.insts, i)
	return nil
}

func (s *scope) inline(d *binary.Inline) error {
	i := newInst()
	for _, e := range d.Exports {
		it, err := s.item(e.SortIndex)
		if err != nil {
			return err
		}
		it.describe(e.Name)
		i.add(e.Name, it)
	}
	s.insts = append(s.insts, i)
	return nil
}

func (s *scope) aliasOuter(d *binary.AliasOuter) {
	from := s
	for range d.Count {
		from = from.outer
	}
	switch d.Sort {
	case binary.SortType:
		s.types = append(s.types, from.types[d.Index])
	case binary.SortComponent:
		s.components = append(s.components, from.components[d.Index])
	case binary.SortCoreModule:
		s.modules = append(s.modules, from.modules[d.Index])
	}
}

func (s *scope) coreInline(d *binary.CoreInline) error {
	i := &coreInst{part: -1, items: make(map[string]coreItem, len(d.Exports))}
	for _, e := range d.Exports {
		i.items[e.Name] = s.coreItems[e.Sort][e.Index]
	}
	s.coreInsts = append(s.coreInsts, i)
	return nil
}

// coreInstantiate adds a part to the plan.
func (s *scope) coreInstantiate(d *binary.CoreInstantiate) error {
	l, m := s.linker, s.modules[d.Module]
	args := make(map[string]*coreInst, len(d.Args))
	for _, a := range d.Args {
		args[a.Name] = s.coreInsts[a.Instance]
	}
	imports, err := m.imports()
	if err != nil {
		return err
	}
	part := instance.Part{Wasm: m.definition.Bytes, Name: s.names.Of(binary.SortCoreModule, d.Module)}
	for _, im := range imports {
		from := args[im.Module]
		if from == nil {
			return fmt.Errorf("at byte %#x: the core module imports from %q, which it is not given", d.At(), im.Module)
		}
		it, ok := from.export(im.Name)
		if !ok {
			return fmt.Errorf("at byte %#x: the core module imports %q from %q, which has no such export", d.At(), im.Name, im.Module)
		}
		part.Imports = append(part.Imports, instance.Target{Part: it.part, Export: it.export, Host: it.host})
	}
	l.plan.parts = append(l.plan.parts, part)
	s.coreInsts = append(s.coreInsts, &coreInst{part: len(l.plan.parts) - 1})
	return nil
}

// options resolves what a canonical definition names.
func (s *scope) options(o binary.Options) (abi.Options, *core) {
	memory, realloc := noItem, (*coreFunc)(nil)
	if o.Memory != nil {
		memory = s.coreItems[binary.SortCoreMemory][*o.Memory]
	}
	if o.Realloc != nil {
		realloc = s.linker.coreFunc(s.coreItems[binary.SortCoreFunc][*o.Realloc])
	}
	return abi.Options{Encoding: abi.Encoding(o.Encoding)}, s.linker.core(memory, realloc)
}

func (s *scope) lift(d *binary.Lift) error {
	f := &fn{typ: s.types[d.Type].fn, instance: s.number}
	f.options, f.core = s.options(d.Options)
	f.callee = s.linker.coreFunc(s.coreItems[binary.SortCoreFunc][d.CoreFunc])
	if d.Options.PostReturn != nil {
		f.postReturn = s.linker.coreFunc(s.coreItems[binary.SortCoreFunc][*d.Options.PostReturn])
	}
	s.funcs = append(s.funcs, f)
	return nil
}

func (s *scope) lower(d *binary.Lower) error {
	opts, c := s.options(d.Options)
	it, err := s.linker.lower(s.funcs[d.Func], opts, c, s.number)
	s.coreItems[binary.SortCoreFunc] = append(s.coreItems[binary.SortCoreFunc], it)
	return err
}
