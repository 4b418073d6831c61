package validate

import "github.com/mayfly-run/mayfly/runtime/component/types"

// replacement makes types that refer to other resource types than the ones they are made from, and to the named types that took the
// place of imported ones. What refers to neither stays what it is.
type replacement struct {
	v         *validator
	resources map[*types.Resource]*types.Resource
	tokens    map[token]token
	done      map[any]any // *types.Type, *types.Func, *types.Instance, *types.Component
}

func (v *validator) newReplacement() *replacement {
	return &replacement{v: v, resources: map[*types.Resource]*types.Resource{}, tokens: map[token]token{}, done: map[any]any{}}
}

// fresh replaces each of some resource types by a new one.
func (m *replacement) fresh(all []*types.Resource) []*types.Resource {
	made := make([]*types.Resource, len(all))
	for i, r := range all {
		made[i] = &types.Resource{Name: r.Name}
		m.resources[r] = made[i]
	}
	return made
}

func (m *replacement) token(t token) token {
	if to, ok := m.tokens[t]; ok {
		return to
	}
	if r, ok := m.resources[t.resource]; ok {
		return token{r, t.alias}
	}
	return t
}

// once finds what a type was replaced by before.
func once[T any](m *replacement, t *T) (*T, bool) {
	to, ok := m.done[t]
	if !ok {
		return nil, false
	}
	return to.(*T), true
}

func (m *replacement) value(t *types.Type) (*types.Type, error) {
	if t == nil {
		return nil, nil
	}
	if to, ok := once(m, t); ok || t.Kind.Primitive() {
		if !ok {
			to = t
		}
		return to, nil
	}
	if err := m.v.work.do(keepWork + len(t.Fields) + len(t.Cases)); err != nil {
		return nil, err
	}
	to := *t
	info := m.v.values[t]
	a := info.alias
	if t.Resource != nil {
		n := m.token(token{t.Resource, info.alias})
		to.Resource, a = n.resource, n.alias
	}
	for _, part := range [...]**types.Type{&to.Elem, &to.OK, &to.Err} {
		var err error
		if *part, err = m.value(*part); err != nil {
			return nil, err
		}
	}
	var fields, cases bool
	var err error
	if to.Fields, fields, err = m.fields(t.Fields); err != nil {
		return nil, err
	}
	if to.Cases, cases, err = m.fields(t.Cases); err != nil {
		return nil, err
	}
	if !fields && !cases && a == info.alias && to.Resource == t.Resource && to.Elem == t.Elem && to.OK == t.OK && to.Err == t.Err {
		m.done[t] = t
		return t, nil
	}
	if a != info.alias {
		other := *info
		other.alias = a
		info = &other
	}
	m.v.values[&to] = info
	m.done[t] = &to
	return &to, nil
}

func (m *replacement) fields(all []types.Field) (to []types.Field, changed bool, err error) {
	to = all
	for i, f := range all {
		t, err := m.value(f.Type)
		if err != nil {
			return nil, false, err
		}
		if t == f.Type {
			continue
		}
		if !changed {
			if err := m.v.work.do(keepWork * len(all)); err != nil {
				return nil, false, err
			}
			to = append([]types.Field(nil), all...)
			changed = true
		}
		to[i].Type = t
	}
	return to, changed, nil
}

func (m *replacement) fn(t *types.Func) (*types.Func, error) {
	if to, ok := once(m, t); ok {
		return to, nil
	}
	if err := m.v.work.do(keepWork + len(t.Params)); err != nil {
		return nil, err
	}
	params, changed, err := m.fields(t.Params)
	if err != nil {
		return nil, err
	}
	result, err := m.value(t.Result)
	if err != nil {
		return nil, err
	}
	to := t
	if changed || result != t.Result {
		to = &types.Func{Params: params, Result: result}
		m.v.funcs[to] = m.v.funcs[t]
	}
	m.done[t] = to
	return to, nil
}

func (m *replacement) instance(t *types.Instance) (*types.Instance, error) {
	if to, ok := once(m, t); ok {
		return to, nil
	}
	info := m.v.instances[t]
	exports, aliases, changed, err := m.items(t.Exports, info.aliases)
	if err != nil {
		return nil, err
	}
	to := t
	if changed {
		to = m.v.newInstance(exports, aliases, info.shape)
		m.v.instances[to].fresh, m.v.instances[to].index = info.fresh, info.index
	}
	m.done[t] = to
	return to, nil
}

func (m *replacement) component(t *types.Component) (*types.Component, error) {
	if to, ok := once(m, t); ok {
		return to, nil
	}
	info := *m.v.components[t]
	var to types.Component
	var imports, exports bool
	var err error
	if to.Imports, info.importAliases, imports, err = m.items(t.Imports, info.importAliases); err != nil {
		return nil, err
	}
	if to.Exports, info.exportAliases, exports, err = m.items(t.Exports, info.exportAliases); err != nil {
		return nil, err
	}
	if !imports && !exports {
		m.done[t] = t
		return t, nil
	}
	m.v.components[&to] = &info
	m.done[t] = &to
	return &to, nil
}

// items replaces imports or exports.
func (m *replacement) items(all []types.Named, aliases []alias) (to []types.Named, toAliases []alias, changed bool, err error) {
	if err := m.v.work.do(keepWork + len(all)); err != nil {
		return nil, nil, false, err
	}
	to, toAliases = all, aliases
	for i := range all {
		was := extern{all[i].Extern, aliases[i]}
		x, err := m.extern(was)
		if err != nil {
			return nil, nil, false, err
		}
		if x == was {
			continue
		}
		if !changed {
			if err := m.v.work.do(keepWork * len(all)); err != nil {
				return nil, nil, false, err
			}
			to, toAliases = append([]types.Named(nil), all...), append([]alias(nil), aliases...)
			changed = true
		}
		to[i].Extern, toAliases[i] = x.Extern, x.alias
	}
	return to, toAliases, changed, nil
}

func (m *replacement) extern(x extern) (_ extern, err error) {
	switch x.Sort {
	case types.SortFunc:
		x.Func, err = m.fn(x.Func)
	case types.SortComponent:
		x.Component, err = m.component(x.Component)
	case types.SortInstance:
		x.Instance, err = m.instance(x.Instance)
	case types.SortType:
		switch t := &x.Type; {
		case t.Value != nil:
			t.Value, err = m.value(t.Value)
		case t.Func != nil:
			t.Func, err = m.fn(t.Func)
		case t.Instance != nil:
			t.Instance, err = m.instance(t.Instance)
		case t.Component != nil:
			t.Component, err = m.component(t.Component)
		case t.Resource != nil:
			n := m.token(x.token())
			t.Resource, x.alias = n.resource, n.alias
		}
	}
	return x, err
}
