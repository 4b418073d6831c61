package wit

import (
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// maxNested is how deep components and instances may be in one another to be printed.
const maxNested = 16

// Print is what a component imports and exports, as a world in WIT, for people: interfaces are written out where a world would only name
// them. Long text is cut.
func Print(c *types.Component) string { return printWorld(c, false) }

// Summary is what a component imports and exports, as Print has it, but of interfaces only the names.
func Summary(c *types.Component) string { return printWorld(c, true) }

func printWorld(c *types.Component, short bool) string {
	p := &printer{writer: writer{limit: maxWorld, origins: map[any]origin{}}, short: short, defined: map[string]*types.Type{}}
	p.put("world root {\n")
	p.component(c)
	p.put("}\n")
	return p.text()
}

// printer writes the types of components and instances.
type printer struct {
	writer
	short   bool
	nested  int                    // components and instances that are being written
	defined map[string]*types.Type // the last definition of each name that origins knows
}

// component writes a component's imports and exports.
func (p *printer) component(c *types.Component) {
	leave := p.enter()
	defer leave()
	for i, n := range c.Imports {
		if p.full() {
			return
		}
		p.learn(c.Imports[i : i+1])
		p.extern("import ", n)
	}
	for i, n := range c.Exports {
		if p.full() {
			return
		}
		p.learn(c.Exports[i : i+1])
		p.extern("export ", n)
	}
}

// enter begins the body of a component or an instance, which has names of its own.
func (p *printer) enter() (leave func()) {
	outer := p.local
	p.local = map[any]string{}
	p.indent++
	p.nested++
	return func() {
		p.local = outer
		p.indent--
		p.nested--
	}
}

// learn takes note of what types are called here.
func (p *printer) learn(exports []types.Named) {
	for _, n := range exports {
		if key := identity(n); key != nil && p.local[key] == "" {
			p.local[key] = n.Name
		}
	}
}

// identity is what makes a type export the same type as another: nil for what is not a type, and for those that one cannot tell from others.
func identity(n types.Named) any {
	switch d := n.Type; {
	case n.Sort != types.SortType:
		return nil
	case d.Resource != nil:
		return d.Resource
	case d.Value == nil || d.Value.Kind == types.Own || d.Value.Kind == types.Borrow:
		return nil
	case d.Value.Kind.Primitive() && d.Value == types.Primitives[d.Value.Kind]:
		return nil
	default:
		return d.Value
	}
}

// extern writes an import or export.
func (p *printer) extern(keyword string, n types.Named) {
	if n.Sort == types.SortType {
		p.worldType(keyword, n)
		return
	}
	p.line()
	p.put(keyword)
	p.name(n.Name)
	switch {
	case n.Sort == types.SortFunc:
		p.put(": ")
		p.function(n.Func, false)
		p.put(";\n")
	case n.Sort == types.SortInstance:
		if strings.Contains(n.Name, ":") {
			p.body(" ", n.Name, n.Instance)
		} else {
			p.body(": interface ", n.Name, n.Instance)
		}
	case n.Sort == types.SortComponent && p.nested < maxNested && !p.short:
		p.put(": component {\n")
		p.component(n.Component)
		p.line()
		p.put("}\n")
	default:
		p.put(": ", n.Sort.String(), ";\n")
	}
}

// worldType writes a type that a component imports or exports by itself. In WIT, types that worlds have are imports without saying so.
func (p *printer) worldType(keyword string, n types.Named) {
	keyword = strings.TrimPrefix(keyword, "import ")
	p.recognize(n)
	o, used := p.origins[identity(n)]
	switch {
	case used && keyword == "":
		p.use(o.from, []types.Named{n})
	case p.short:
		p.line()
		p.put(keyword, "type ")
		p.name(n.Name)
		p.put(";\n")
	default:
		p.definition(keyword, "", n, nil)
	}
}

// body writes what an instance exports.
func (p *printer) body(head, from string, i *types.Instance) {
	if p.short {
		p.put(";\n")
		return
	}
	p.put(head)
	if p.nested >= maxNested {
		p.put("{ … }\n")
		return
	}
	p.put("{\n")
	leave := p.enter()
	p.learn(i.Exports)
	p.uses(from, i)
	methods, others := resourceFunctions(i)
	for _, n := range i.Exports {
		if p.full() {
			break
		}
		if key := identity(n); n.Sort == types.SortType && (key == nil || !p.isUsed(key, from)) {
			p.definition("", from, n, methods[n.Name])
		}
	}
	for _, n := range others {
		if p.full() {
			break
		}
		p.extern("", n)
	}
	leave()
	p.line()
	p.put("}\n")
}

// recognize finds out whether a type is one that another interface has. A resource is the same wherever it is; of other types there is a
// new one for each interface of a component that exports it, so what has the name and the structure of one that is known is taken to be
// that.
func (p *printer) recognize(n types.Named) {
	t := n.Type.Value
	if n.Sort != types.SortType || t == nil || p.origins[t].name != "" {
		return
	}
	if known := p.defined[n.Name]; known.Equal(t) {
		p.origins[t] = p.origins[known]
	}
}

// isUsed reports whether a type is another interface's.
func (p *printer) isUsed(key any, here string) bool {
	o, ok := p.origins[key]
	return ok && o.from != here
}

// uses writes which types come from other interfaces, a line for each of those.
func (p *printer) uses(here string, i *types.Instance) {
	var order []string
	used := map[string][]types.Named{}
	for _, n := range i.Exports {
		p.recognize(n)
		if key := identity(n); key != nil && p.isUsed(key, here) {
			from := p.origins[key].from
			if used[from] == nil {
				order = append(order, from)
			}
			used[from] = append(used[from], n)
		}
	}
	for _, from := range order {
		p.use(from, used[from])
	}
}

// use writes that some types come from another interface.
func (p *printer) use(from string, all []types.Named) {
	p.line()
	p.put("use ", clean(from), ".{")
	for i, n := range all {
		if p.full() {
			return
		}
		if i > 0 {
			p.put(", ")
		}
		there := p.origins[identity(n)].name
		p.name(there)
		if there != n.Name {
			p.put(" as ")
			p.name(n.Name)
		}
	}
	p.put("};\n")
}

// resourceFunctions are the functions of an instance's resources, by the resource's name, and its other exports that are not types.
func resourceFunctions(i *types.Instance) (methods map[string][]types.Named, others []types.Named) {
	methods = map[string][]types.Named{}
	resources := map[string]bool{}
	for _, n := range i.Exports {
		if n.Sort == types.SortType {
			resources[n.Name] = n.Type.Resource != nil
			continue
		}
		resource, _, _ := resourceFunction(n)
		if resources[resource] {
			methods[resource] = append(methods[resource], n)
		} else {
			others = append(others, n)
		}
	}
	return methods, others
}

// resourceFunction takes the name of a resource's function apart: "[method]descriptor.read" is the function read of descriptor.
// Component model, Explainer, "Import and export names".
func resourceFunction(n types.Named) (resource, kind, name string) {
	if n.Sort != types.SortFunc || !strings.HasPrefix(n.Name, "[") {
		return "", "", ""
	}
	kind, name, _ = strings.Cut(n.Name[1:], "]")
	resource, name, _ = strings.Cut(name, ".")
	switch {
	case kind == "constructor", kind == "static", kind == "method" && len(n.Func.Params) > 0:
		return resource, kind, name
	}
	return "", "", ""
}

// definition writes a type export. From is the interface that it is of, and methods are a resource's functions.
func (p *printer) definition(keyword, from string, n types.Named, methods []types.Named) {
	key := identity(n)
	p.line()
	p.put(keyword)
	switch d := n.Type; {
	case key != nil && p.local[key] != n.Name:
		p.put("type ")
		p.name(n.Name)
		p.put(" = ")
		p.name(p.local[key])
		p.put(";\n")
	case d.Resource != nil:
		p.resourceDefinition(n, methods)
	case d.Value != nil:
		p.valueDefinition(n.Name, d.Value)
	default:
		p.name(n.Name)
		p.put(": type;\n")
	}
	if _, known := p.origins[key]; key != nil && !known && from != "" {
		p.origins[key] = origin{from, n.Name}
		if t, ok := key.(*types.Type); ok {
			p.defined[n.Name] = t
		}
	}
}

func (p *printer) resourceDefinition(n types.Named, methods []types.Named) {
	p.put("resource ")
	p.name(n.Name)
	if len(methods) == 0 {
		p.put(";\n")
		return
	}
	p.put(" {\n")
	p.indent++
	for _, m := range methods {
		if p.full() {
			break
		}
		p.line()
		_, kind, name := resourceFunction(m)
		if kind == "constructor" {
			p.constructor(m.Func, n.Type.Resource)
			continue
		}
		p.name(name)
		p.put(": ")
		if kind == "static" {
			p.put("static ")
		}
		p.function(m.Func, kind == "method")
		p.put(";\n")
	}
	p.indent--
	p.line()
	p.put("}\n")
}

// constructor writes a constructor, whose result is understood if it is the resource.
func (p *printer) constructor(f *types.Func, r *types.Resource) {
	p.put("constructor")
	p.signature(f, false)
	if t := f.Result; t != nil && (t.Kind != types.Own || t.Resource != r) {
		p.put(" -> ")
		p.value(t)
	}
	p.put(";\n")
}

func (p *printer) valueDefinition(name string, t *types.Type) {
	switch {
	case t.Kind == types.Own:
		p.put("type ")
		p.name(name)
		p.put(" = own<")
		p.resource(t.Resource)
		p.put(">;\n")
		return
	case !hasMembers(t):
		p.put("type ")
		p.name(name)
		p.put(" = ")
		p.structure(t)
		p.put(";\n")
		return
	}
	p.put(t.Kind.String(), " ")
	p.name(name)
	start := len(p.out)
	p.put(" { ")
	p.members(t, ", ")
	p.put(" }\n")
	if len(p.out)-start <= lineWidth {
		return
	}
	p.out = p.out[:start]
	p.put(" {\n")
	p.indent++
	p.line()
	p.members(t, ",\n"+strings.Repeat("  ", p.indent))
	p.indent--
	p.put(",\n")
	p.line()
	p.put("}\n")
}

// hasMembers reports whether a type is one that must have a name in WIT.
func hasMembers(t *types.Type) bool {
	switch t.Kind {
	case types.Record, types.Variant, types.Flags, types.Enum:
		return true
	}
	return false
}
