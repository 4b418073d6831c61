package validate

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// Validate checks a component and returns its type. It returns an *[Error] when the component is not valid.
//
// Where an import or export names a type of values, the functions after it that use it by that name have the very same *types.Type,
// so that whoever prints them finds the name.
func Validate(c *binary.Component) (*types.Component, error) {
	v := &validator{
		work:       work{left: maxWork},
		origins:    map[any]any{},
		values:     map[*types.Type]*value{},
		funcs:      map[*types.Func]shape{},
		instances:  map[*types.Instance]*instance{},
		components: map[*types.Component]*component{},
		modules:    map[*types.Module]*module{},
	}
	for _, p := range types.Primitives {
		v.values[p] = primitiveValue(p.Kind)
	}
	return v.component(c, nil)
}

// validator is what is known about all types of a file.
type validator struct {
	work    work
	aliases alias       // the last one given
	origins map[any]any // of types that import or export another one: that one, as nameable has it

	values     map[*types.Type]*value
	funcs      map[*types.Func]shape
	instances  map[*types.Instance]*instance
	components map[*types.Component]*component
	modules    map[*types.Module]*module
}

// alias tells the names of one resource type apart: each import or export of it makes another. Which of them a handle type refers to does
// not matter for whether types are the same, but it does for whether they have a name that is known outside. Explainer.md,
// "External Visibility of Types".
type alias int

// token is a resource type by one of its names.
type token struct {
	resource *types.Resource
	alias    alias
}

// instance is what is known about the type of an instance.
type instance struct {
	shape
	// fresh are the resource types that the type of an instance declares. Each instance of that type has its own; so there are none where
	// a *types.Instance is the type of one instance that is there.
	fresh   []*types.Resource
	aliases []alias // of the exports that are resource types
	index   *index  // of the exports
}

// index finds exports by name. It is made when it is first needed, and shared by all types that were made of one: their exports have
// the same names in the same order.
type index struct{ at map[string]int }

// component is what is known about the type of a component.
type component struct {
	shape
	imported      []*types.Resource // that come with the imports
	defined       []*types.Resource // that come with the exports, other ones for each instance
	importAliases []alias
	exportAliases []alias
	index         *index // of the exports
	instances     int    // how many an instance of it makes
}

// module is what is known about the type of a core module.
type module struct {
	shape
	exports coreInstance // what each instance exports
}

// extern is the type of an import or export, with the name of a resource type.
type extern struct {
	types.Extern
	alias alias
}

func (x extern) token() token { return token{x.Type.Resource, x.alias} }

// newAlias makes another name.
func (v *validator) newAlias() alias {
	v.aliases++
	return v.aliases
}

// component checks a component inside of another.
func (v *validator) component(c *binary.Component, outer *scope) (*types.Component, error) {
	s, err := v.newScope(inComponent, outer)
	if err != nil {
		return nil, at(c, err)
	}
	for _, d := range c.Definitions {
		if err := s.define(d); err != nil {
			if _, ok := err.(*Error); ok {
				return nil, err // it is about something inside of the definition
			}
			return nil, at(d, err)
		}
	}
	t, err := s.finish()
	if err != nil {
		return nil, at(c, err)
	}
	return t, nil
}

// define checks a definition and gives it an index.
func (s *scope) define(d binary.Definition) error {
	switch d := d.(type) {
	case *binary.CoreModule:
		return s.coreModule(d)
	case *binary.CoreInstantiate:
		return s.coreInstantiate(d)
	case *binary.CoreInline:
		return s.coreInline(d)
	case *binary.CoreType:
		return s.coreType(d)
	case *binary.Component:
		c, err := s.v.component(d, s)
		if err != nil {
			return err
		}
		s.components = append(s.components, c)
		return nil
	case *binary.Instantiate:
		return s.instantiate(d)
	case *binary.Inline:
		return s.inline(d)
	case *binary.AliasExport:
		return s.aliasExport(d)
	case *binary.AliasCoreExport:
		return s.aliasCoreExport(d)
	case *binary.AliasOuter:
		return s.aliasOuter(d)
	case *binary.Type:
		return s.deftype(d)
	case *binary.Lift:
		return s.lift(d)
	case *binary.Lower:
		return s.lower(d)
	case *binary.ResourceFunc:
		return s.resourceFunc(d)
	case *binary.Import:
		return s.importItem(d)
	case *binary.Export:
		return s.exportItem(d)
	case *binary.ExportDecl:
		return s.exportDecl(d)
	}
	return fmt.Errorf("%T: not known", d)
}
