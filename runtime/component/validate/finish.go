package validate

import (
	"errors"
	"maps"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// finish is the type of a component, after its last definition.
func (s *scope) finish() (*types.Component, error) {
	t := &types.Component{Imports: s.imports.items, Exports: s.exports.items}
	info := &component{shape: s.shape, imported: s.imported, importAliases: s.imports.aliases, exportAliases: s.exports.aliases, index: &index{},
		instances: s.instantiated}
	f := s.v.newFree()
	if err := f.items(t.Imports); err != nil {
		return nil, err
	}
	for r := range f.resources() {
		if _, ok := s.defined[r]; ok {
			return nil, errors.New("an import refers to a resource type of the component itself")
		}
	}
	f = s.v.newFree()
	if err := f.items(t.Exports); err != nil {
		return nil, err
	}
	used := f.resources()
	exported := maps.Clone(s.defined)
	s.v.dropExported(t.Exports, exported, map[*types.Instance]bool{})
	for _, r := range s.order {
		if !used[r] {
			continue
		}
		if _, ok := exported[r]; ok {
			return nil, errors.New("an export refers to a resource type of the component that is not exported itself; export it before")
		}
		info.defined = append(info.defined, r)
	}
	s.v.components[t] = info
	return t, nil
}

// dropExported takes those resource types out of a set that are exports, or exports of exported instances.
func (v *validator) dropExported(exports []types.Named, from map[*types.Resource]bool, seen map[*types.Instance]bool) {
	for _, x := range exports {
		switch {
		case x.Type.Resource != nil:
			delete(from, x.Type.Resource)
		case x.Sort == types.SortInstance && !seen[x.Instance]:
			seen[x.Instance] = true
			v.dropExported(x.Instance.Exports, from, seen)
		}
	}
}
