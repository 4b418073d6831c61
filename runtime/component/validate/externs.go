package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// externType resolves the type of an import or export. fresh are the resource types that it alone has.
func (s *scope) externType(d binary.ExternType) (x extern, fresh []*types.Resource, err error) {
	x.Sort = sortOf[d.Sort]
	if d.Sort == binary.SortCoreModule {
		t, err := item(s.coreTypes, binary.SortCoreType, d.Index)
		if err == nil && t.module == nil {
			err = fmt.Errorf("core type %d is not the type of a module", d.Index)
		}
		x.Module = t.module
		return x, nil, err
	}
	if d.SubResource {
		r := &types.Resource{}
		x.Type.Resource = r
		return x, []*types.Resource{r}, nil
	}
	t, err := item(s.types, binary.SortType, d.Index)
	if err != nil {
		return x, nil, err
	}
	switch d.Sort {
	case binary.SortFunc:
		x.Func = t.Func
	case binary.SortComponent:
		x.Component = t.Component
	case binary.SortInstance:
		if x.Instance = t.Instance; t.Instance != nil {
			fresh = s.v.instances[t.Instance].fresh
		}
	case binary.SortType:
		x.Type, x.alias = t.Defined, t.alias
		return x, nil, nil
	}
	if x.Func == nil && x.Component == nil && x.Instance == nil {
		err = fmt.Errorf("type %d is not the type of a %s", d.Index, x.Sort)
	}
	return x, fresh, err
}

// importItem adds an import.
func (s *scope) importItem(d *binary.Import) error {
	x, fresh, err := s.externType(d.Type)
	if err != nil {
		return fmt.Errorf("import %q: %w", d.Name, err)
	}
	if err := s.add(&s.imports, &d.ExternName, x, fresh); err != nil {
		return fmt.Errorf("import %q: %w", d.Name, err)
	}
	return nil
}

// exportDecl adds an export of a type.
func (s *scope) exportDecl(d *binary.ExportDecl) error {
	x, fresh, err := s.externType(d.Type)
	if err == nil {
		err = s.add(&s.exports, &d.ExternName, x, fresh)
	}
	if err != nil {
		return fmt.Errorf("export %q: %w", d.Name, err)
	}
	return nil
}

// exportItem adds an export of something that is there.
func (s *scope) exportItem(d *binary.Export) error {
	x, err := s.find(d.SortIndex)
	var fresh []*types.Resource
	if err == nil && d.Type != nil {
		x, fresh, err = s.ascribe(x, *d.Type)
	}
	if err == nil {
		err = s.add(&s.exports, &d.ExternName, x, fresh)
	}
	if err != nil {
		return fmt.Errorf("export %q: %w", d.Name, err)
	}
	return nil
}

// ascribe gives an export the type that it is to have, of which the one it has must be a subtype.
func (s *scope) ascribe(have extern, d binary.ExternType) (extern, []*types.Resource, error) {
	want, fresh, err := s.externType(d)
	if err != nil {
		return want, nil, err
	}
	c := s.v.newComparison()
	if d.SubResource {
		if have.Type.Resource == nil {
			err = errors.New("it is not a resource type")
		}
	} else {
		vars := set(fresh)
		if want.Sort == types.SortInstance && have.Sort == types.SortInstance {
			c.bind(want.Instance.Exports, s.v.lookup(have.Instance), func(r *types.Resource) bool { return vars[r] })
		}
		err = c.extern(have.Extern, want.Extern)
	}
	if err != nil {
		return want, nil, fmt.Errorf("it does not have the type given for it: %w", err)
	}
	return want, fresh, nil
}

func set(all []*types.Resource) map[*types.Resource]bool {
	m := make(map[*types.Resource]bool, len(all))
	for _, r := range all {
		m[r] = true
	}
	return m
}

// add adds an import or export, and gives it an index.
func (s *scope) add(side *side, n *binary.ExternName, x extern, fresh []*types.Resource) error {
	parsed, err := parseName(n.Name)
	if err != nil {
		return fmt.Errorf("not a valid name: %w", err)
	}
	importing := side == &s.imports
	switch {
	case x.Sort == types.SortInstance && len(fresh) > 0:
		// Each instance of a type has resource types of its own.
		m := s.v.newReplacement()
		fresh = m.fresh(fresh)
		if x, err = m.extern(x); err != nil {
			return err
		}
		s.v.instances[x.Instance].fresh = nil
	case x.Sort == types.SortType && len(fresh) == 0:
		x = s.v.rename(x)
	}
	for _, r := range fresh {
		call(r, n.Name)
		if importing {
			s.imported = append(s.imported, r)
		} else if err := s.ownResource(r, false); err != nil {
			return err
		}
	}
	if err := s.countResources(); err != nil {
		return err
	}
	call(x.Type.Resource, n.Name)
	s.declare(x)
	if s.kind != inInstanceType {
		ok, err := s.name(side, x)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("it refers to a type that has no name among the %ss, for others to use it by; %[1]s that type before it", side.what)
		}
	}
	if x.Type.Resource != nil {
		side.resources[x.token()] = n.Name
		side.labels[n.Name] = true
	}
	return s.v.appendItem(side, &s.shape, n, parsed, x)
}

// call gives a resource type the first name that it is known by, for people to read.
func call(r *types.Resource, name string) {
	if r != nil && r.Name == "" {
		r.Name = name
	}
}

// nameable is what stands for a type among those that have a name; nil for those that need none.
func nameable(x extern) any {
	switch {
	case x.Type.Value != nil:
		return x.Type.Value
	case x.Type.Resource != nil:
		return x.token()
	}
	return nil
}

// rename makes a type that is equal and can be told apart from the one it was made of.
func (v *validator) rename(x extern) extern {
	was := nameable(x)
	switch {
	case x.Type.Value != nil:
		t := *x.Type.Value
		v.values[&t] = v.values[x.Type.Value]
		x.Type.Value = &t
	case x.Type.Resource != nil:
		x.alias = v.newAlias()
	}
	if was != nil {
		v.origins[nameable(x)] = was
	}
	return x
}
