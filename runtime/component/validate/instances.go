package validate

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// instantiate makes an instance of a component. Explainer.md, "Type Checking".
func (s *scope) instantiate(d *binary.Instantiate) error {
	c, err := item(s.components, binary.SortComponent, d.Component)
	if err != nil {
		return err
	}
	args := make(map[string]extern, len(d.Args))
	for _, a := range d.Args {
		if _, ok := args[a.Name]; ok {
			return fmt.Errorf("argument %q is given twice", a.Name)
		}
		if args[a.Name], err = s.find(a.SortIndex); err != nil {
			return fmt.Errorf("argument %q: %w", a.Name, err)
		}
	}
	info := s.v.components[c]
	m, err := s.v.open(c, info, args)
	if err != nil {
		return fmt.Errorf("component %d cannot be instantiated: %w", d.Component, err)
	}
	for _, r := range m.fresh(info.defined) {
		if err := s.ownResource(r, false); err != nil {
			return err
		}
	}
	exports, aliases, _, err := m.items(c.Exports, info.exportAliases)
	if err != nil {
		return err
	}
	t := s.v.newInstance(exports, aliases, info.shape)
	s.v.instances[t].index = info.index
	return s.addInstance(t, info.instances)
}

// open checks arguments for the imports of a component. It returns what they replace.
func (v *validator) open(c *types.Component, info *component, args map[string]extern) (*replacement, error) {
	if err := v.work.do(len(c.Imports) + len(info.imported) + len(info.defined)); err != nil {
		return nil, err
	}
	cmp := v.newComparison()
	vars := set(info.imported)
	cmp.bind(c.Imports, func(name string) (types.Extern, bool) {
		x, ok := args[name]
		return x.Extern, ok
	}, func(r *types.Resource) bool { return vars[r] })
	m := v.newReplacement()
	for i, im := range c.Imports {
		arg, ok := args[im.Name]
		if !ok {
			return nil, fmt.Errorf("it imports %q, and nothing is given for that", im.Name)
		}
		if err := cmp.extern(arg.Extern, im.Extern); err != nil {
			return nil, fmt.Errorf("import %q: %w", im.Name, err)
		}
		if err := m.learn(arg, extern{im.Extern, info.importAliases[i]}); err != nil {
			return nil, err
		}
	}
	for r, given := range cmp.want {
		m.resources[r] = given
	}
	return m, nil
}

// learn makes the types that are given replace those that were imported, and so keep the names they have where they come from.
func (m *replacement) learn(given, imported extern) error {
	if err := m.v.work.do(1); err != nil {
		return err
	}
	switch {
	case imported.Sort == types.SortInstance:
		aliases := m.v.instances[imported.Instance].aliases
		for i, e := range imported.Instance.Exports {
			if x, ok := m.v.export(given.Instance, e.Name); ok {
				if err := m.learn(x, extern{e.Extern, aliases[i]}); err != nil {
					return err
				}
			}
		}
	case imported.Type.Value != nil:
		m.done[imported.Type.Value] = given.Type.Value
	case imported.Type.Resource != nil:
		m.tokens[imported.token()] = given.token()
	}
	return nil
}

// addInstance adds an instance, which makes others.
func (s *scope) addInstance(t *types.Instance, makes int) error {
	if s.instantiated += 1 + makes; s.instantiated > maxInstances {
		return limited{fmt.Sprintf("a component makes more than %d instances, counting those that they make", maxInstances)}
	}
	s.instances = append(s.instances, t)
	return nil
}

// inline makes an instance of things that are there.
func (s *scope) inline(d *binary.Inline) error {
	exports := newSide("export") // nothing in it has an index, so it has no resource types for functions to belong to
	sh := leaf
	for i := range d.Exports {
		e := &d.Exports[i]
		x, err := s.find(e.SortIndex)
		var n name
		if err == nil {
			n, err = parseName(e.Name)
		}
		if err == nil {
			err = s.v.appendItem(&exports, &sh, &e.ExternName, n, x)
		}
		if err != nil {
			return fmt.Errorf("export %q of an instance: %w", e.Name, err)
		}
	}
	return s.addInstance(s.v.newInstance(exports.items, exports.aliases, sh), 0)
}
