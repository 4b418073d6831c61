package wit

import (
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// resolver makes types of syntax: it finds what names mean. WIT, "Name resolution".
type resolver struct {
	documents  []*document
	interfaces map[string]*scope      // by qualified name
	sizes      map[*types.Type]extent // of those that have others in them, and of handles
	handles    map[handle]*types.Type
	inside     *document // in which resolution stopped
}

// handle is what own and borrow types are made of; there is one of each.
type handle struct {
	kind     types.Kind
	resource *types.Resource
}

// scope is an interface and what its names mean.
type scope struct {
	declared *declaredInterface
	document *document
	state    state
	named    map[string]*namedType
	instance *types.Instance
}

type namedType struct {
	declared *declaredType
	state    state
	defined  types.Defined
}

// state is how far something has been resolved: what is under way when it is asked for again depends on itself.
type state uint8

const (
	waiting state = iota
	underWay
	done
)

func newResolver() *resolver {
	return &resolver{interfaces: map[string]*scope{}, sizes: map[*types.Type]extent{}, handles: map[handle]*types.Type{}}
}

// declare makes a source's interfaces known.
func (r *resolver) declare(d *document) error {
	for _, o := range r.documents {
		if o.name == d.name && o.version == d.version {
			return d.errorf("declared by two sources")
		}
	}
	r.documents = append(r.documents, d)
	unique := names{}
	for _, use := range d.uses {
		if err := unique.add(use.path.position, use.as); err != nil {
			return err
		}
	}
	for _, i := range d.interfaces {
		if err := unique.add(i.position, i.name); err != nil {
			return err
		}
		r.interfaces[d.name+"/"+qualified(i.name, d.version)] = &scope{declared: i, document: d, named: map[string]*namedType{}, instance: &types.Instance{}}
	}
	return nil
}

// failed is the document that an error of resolve is in; d unless another that it uses.
func (r *resolver) failed(d *document) *document {
	if r.inside != nil {
		return r.inside
	}
	return d
}

// find finds the interface that a path of a document names.
func (r *resolver) find(d *document, p path) (*scope, error) {
	if p.pkg == "" {
		for _, use := range d.uses {
			if use.as == p.name {
				return r.find(&document{name: d.name, version: d.version}, use.path)
			}
		}
		p.pkg, p.version = d.name, d.version
	}
	id := p.pkg + "/" + qualified(p.name, p.version)
	if s := r.interfaces[id]; s != nil {
		return s, nil
	}
	for _, o := range r.documents {
		if o.name == p.pkg && o.version != p.version {
			return nil, p.errorf("no interface %s: the package is there as %s", id, qualified(o.name, o.version))
		}
	}
	return nil, p.errorf("no interface %s", id)
}

// resolve makes an interface's type.
func (r *resolver) resolve(d *document, i *declaredInterface) (*scope, error) {
	s := r.interfaces[d.name+"/"+qualified(i.name, d.version)]
	return s, r.resolveScope(s)
}

func (r *resolver) resolveScope(s *scope) error {
	switch s.state {
	case done:
		return nil
	case underWay:
		return s.declared.errorf("interface %s uses itself", s.declared.name)
	}
	s.state = underWay
	err := r.fill(s)
	if err != nil && r.inside == nil {
		r.inside = s.document
	}
	s.state = done
	return err
}

// fill resolves a scope's types, then its functions.
func (r *resolver) fill(s *scope) error {
	unique := names{}
	for _, t := range s.declared.types {
		if err := unique.add(t.position, t.name); err != nil {
			return err
		}
		s.named[t.name] = &namedType{declared: t}
	}
	for _, t := range s.declared.types {
		if _, err := r.define(s, s.named[t.name], 0); err != nil {
			return err
		}
	}
	for _, f := range s.declared.funcs {
		if err := unique.add(f.position, f.name); err != nil {
			return err
		}
		kind, err := r.function(s, f)
		if err != nil {
			return err
		}
		s.instance.Exports = append(s.instance.Exports, types.Named{Name: f.name, Extern: types.Extern{Sort: types.SortFunc, Func: kind}})
	}
	return nil
}

// define resolves a named type, and those it is made of before it. Depth counts names that lead to names.
func (r *resolver) define(s *scope, n *namedType, depth int) (types.Defined, error) {
	switch {
	case n.state == done:
		return n.defined, nil
	case n.state == underWay:
		return types.Defined{}, n.declared.errorf("type %s is made of itself", n.declared.name)
	case depth > maxDepth:
		return types.Defined{}, n.declared.errorf("types in types deeper than %d", maxDepth)
	}
	n.state = underWay
	var err error
	if n.defined, err = r.definition(s, n.declared, depth); err != nil {
		return types.Defined{}, err
	}
	n.state = done
	s.instance.Exports = append(s.instance.Exports,
		types.Named{Name: n.declared.name, Extern: types.Extern{Sort: types.SortType, Type: n.defined}})
	return n.defined, nil
}

func (r *resolver) definition(s *scope, t *declaredType, depth int) (types.Defined, error) {
	switch t.what {
	case "use":
		return r.used(s, t)
	case "resource":
		return types.Defined{Resource: &types.Resource{Name: t.name}}, nil
	case "type":
		return r.alias(s, t, depth)
	}
	v, err := r.composite(s, t, depth)
	if err != nil {
		return types.Defined{}, err
	}
	return types.Defined{Value: v}, r.measure(t.position, v)
}

// used resolves a type of another interface.
func (r *resolver) used(s *scope, t *declaredType) (types.Defined, error) {
	from, err := r.find(s.document, t.from)
	if err != nil {
		return types.Defined{}, err
	}
	if from.state == underWay {
		return types.Defined{}, t.from.errorf("interface %s and this one use each other", t.from.name)
	}
	if err := r.resolveScope(from); err != nil {
		return types.Defined{}, err
	}
	n := from.named[t.orig]
	if n == nil {
		return types.Defined{}, t.errorf("interface %s has no type %s", t.from.name, t.orig)
	}
	return n.defined, nil
}

// alias resolves "type a = b". A new name for a primitive is a type of its own, so that messages can tell it from others.
func (r *resolver) alias(s *scope, t *declaredType, depth int) (types.Defined, error) {
	if t.alias.named {
		return r.lookup(s, t.alias, depth)
	}
	v, err := r.value(s, t.alias, depth)
	if err != nil {
		return types.Defined{}, err
	}
	if v.Kind.Primitive() {
		v = &types.Type{Kind: v.Kind}
	}
	return types.Defined{Value: v}, nil
}

// lookup resolves a name.
func (r *resolver) lookup(s *scope, e *expression, depth int) (types.Defined, error) {
	n := s.named[e.text]
	if n == nil {
		return types.Defined{}, e.errorf("no type %s in interface %s", e.text, s.declared.name)
	}
	return r.define(s, n, depth+1)
}

// composite resolves a type that must have a name.
func (r *resolver) composite(s *scope, t *declaredType, depth int) (*types.Type, error) {
	if len(t.fields)+len(t.labels) == 0 {
		return nil, t.errorf("%s %s is empty", t.what, t.name)
	}
	unique := names{}
	for _, label := range t.labels {
		if err := unique.add(t.position, label); err != nil {
			return nil, err
		}
	}
	fields, err := r.fields(s, t.fields, depth)
	if err != nil {
		return nil, err
	}
	switch t.what {
	case "record":
		return &types.Type{Kind: types.Record, Fields: fields}, nil
	case "variant":
		return &types.Type{Kind: types.Variant, Cases: fields}, nil
	case "enum":
		return &types.Type{Kind: types.Enum, Labels: t.labels}, nil
	}
	if len(t.labels) > maxFlags {
		return nil, t.errorf("flags %s has %d labels: more than %d", t.name, len(t.labels), maxFlags)
	}
	return &types.Type{Kind: types.Flags, Labels: t.labels}, nil
}

// fields resolves fields, cases or parameters.
func (r *resolver) fields(s *scope, declared []field, depth int) ([]types.Field, error) {
	unique := names{}
	resolved := make([]types.Field, len(declared))
	for i, f := range declared {
		if err := unique.add(f.position, f.name); err != nil {
			return nil, err
		}
		v, err := r.value(s, f.kind, depth)
		if err != nil {
			return nil, err
		}
		resolved[i] = types.Field{Name: f.name, Type: v}
	}
	return resolved, nil
}

func (r *resolver) function(s *scope, f *declaredFunc) (*types.Func, error) {
	params, err := r.fields(s, f.params, 0)
	if err != nil {
		return nil, err
	}
	result, err := r.value(s, f.result, 0)
	if err != nil {
		return nil, err
	}
	if f.constructor != "" && !constructs(result, s.named[f.constructor].defined.Resource) {
		return nil, f.result.errorf("a constructor of %s that does not return it, nor a result of it", f.constructor)
	}
	if r.sizes[result].borrows {
		return nil, f.result.errorf("function %s returns a borrow", f.name)
	}
	return &types.Func{Params: params, Result: result}, nil
}

func constructs(t *types.Type, resource *types.Resource) bool {
	if t.Kind == types.Result && t.OK != nil {
		t = t.OK
	}
	return t.Kind == types.Own && t.Resource == resource
}

// value resolves a type as written at a place; nil is nil.
func (r *resolver) value(s *scope, e *expression, depth int) (*types.Type, error) {
	if e == nil {
		return nil, nil
	}
	if e.named {
		d, err := r.lookup(s, e, depth)
		if err != nil {
			return nil, err
		}
		if d.Resource != nil {
			return r.handle(types.Own, d.Resource), nil
		}
		return d.Value, nil
	}
	if e.text == "own" || e.text == "borrow" {
		d, err := r.lookup(s, e.args[0], depth)
		if err != nil {
			return nil, err
		}
		if d.Resource == nil {
			return nil, e.errorf("%s of %s, which is not a resource", e.text, e.args[0].text)
		}
		return r.handle(kindNamed(e.text), d.Resource), nil
	}
	t := &types.Type{Kind: kindNamed(e.text), Length: e.length}
	if t.Kind.Primitive() {
		return types.Primitives[t.Kind], nil
	}
	args := make([]*types.Type, len(e.args), max(len(e.args), 2))
	for i, arg := range e.args {
		var err error
		if args[i], err = r.value(s, arg, depth+1); err != nil {
			return nil, err
		}
	}
	switch t.Kind {
	case types.Tuple:
		for _, arg := range args {
			t.Fields = append(t.Fields, types.Field{Type: arg})
		}
	case types.Result:
		t.OK, t.Err = args[:2][0], args[:2][1]
	default: // list, option
		t.Elem = args[0]
	}
	return t, r.measure(e.position, t)
}

// handle is the type of handles of a resource.
func (r *resolver) handle(kind types.Kind, resource *types.Resource) *types.Type {
	h := handle{kind, resource}
	if r.handles[h] == nil {
		t := &types.Type{Kind: kind, Resource: resource}
		r.handles[h], r.sizes[t] = t, extent{1, 1, kind == types.Borrow}
	}
	return r.handles[h]
}

// names are those of one place, of which no two may be the same. Component model, Explainer, "strongly-unique".
type names map[string]bool

func (n names) add(p position, name string) error {
	key := strings.ToLower(name)
	for _, annotation := range [...]string{"[method]", "[static]"} {
		if member, ok := strings.CutPrefix(key, annotation); ok {
			key = member
			if l, m, _ := strings.Cut(member, "."); l == m {
				key = l
			}
		}
	}
	if n[key] {
		return p.errorf("%s is declared twice", name)
	}
	n[key] = true
	return nil
}

var kinds = func() map[string]types.Kind {
	m := map[string]types.Kind{}
	for k := types.Bool; k <= types.Borrow; k++ {
		m[k.String()] = k
	}
	return m
}()

func kindNamed(s string) types.Kind { return kinds[s] }

func isPrimitive(s string) bool {
	k, ok := kinds[s]
	return ok && k.Primitive()
}
