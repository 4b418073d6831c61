package binary

import "bytes"

// Section ids. Binary.md, "Component Definitions".
const (
	sectionCustom = iota
	sectionCoreModule
	sectionCoreInstance
	sectionCoreType
	sectionComponent
	sectionInstance
	sectionAlias
	sectionType
	sectionCanon
	sectionStart
	sectionImport
	sectionExport
	sectionValue
)

var sectionNames = [...]string{"custom", "core module", "core instance", "core type", "component", "instance", "alias", "type", "canon",
	"start", "import", "export", "value"}

var (
	magic        = []byte("\x00asm")
	preamble     = []byte("\x00asm\x0d\x00\x01\x00")
	corePreamble = []byte("\x00asm\x01\x00\x00\x00")
)

// Decode takes a component apart. It returns an *[Error] when it cannot, which is [ErrUnsupported] when it is for want of a feature.
func Decode(file []byte) (*Component, error) {
	items := maxItems
	r := &reader{b: file, items: &items}
	if len(file) > MaxComponent {
		r.exceed("a component of %d bytes: at most %d", len(file), MaxComponent)
	}
	c := r.component(0)
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}

// component reads a component up to the end of the reader, which is nested so deep.
func (r *reader) component(depth int) *Component {
	c := &Component{Pos: r.here()}
	if depth > maxDepth {
		r.exceed("components nested more than %d deep", maxDepth)
	}
	r.preamble()
	for r.more() {
		at := r.pos
		id := int(r.byte())
		if id >= len(sectionNames) {
			r.failAt(at, "section %d: not known", id)
			break
		}
		s := r.sub(r.u32())
		s.section = sectionNames[id]
		c.read(id, s, depth)
		s.end()
		r.join(s)
	}
	return c
}

// preamble checks the beginning of a component.
func (r *reader) preamble() {
	at := r.pos
	b := r.b[min(at, len(r.b)):min(at+len(preamble), len(r.b))]
	r.pos += len(b)
	switch {
	case bytes.Equal(b, preamble):
	case len(b) < len(preamble) || !bytes.HasPrefix(b, magic):
		r.failAt(at, "it does not begin as a component")
	case bytes.Equal(b, corePreamble):
		r.failAt(at, "it is a core module and not a component; wasm-tools component new makes one of it")
	case b[6] == preamble[6] && b[7] == preamble[7]:
		r.refuse(at, "a component of version %#x: only %#x is supported; build it with newer tools", b[4], preamble[4])
	default:
		r.failAt(at, "version % x of WebAssembly: not known", b[4:])
	}
}

func (c *Component) read(id int, r *reader, depth int) {
	switch id {
	case sectionCustom:
		c.custom(r)
	case sectionCoreModule:
		m := &CoreModule{Pos: r.here(), Bytes: r.b}
		if !bytes.HasPrefix(r.b, corePreamble) {
			r.fail("a core module does not begin as one of version 1")
		}
		r.pos = len(r.b)
		c.define(r, m)
	case sectionCoreInstance:
		c.each(r, "core instances", (*reader).coreInstance)
	case sectionCoreType:
		c.each(r, "core types", (*reader).coreType)
	case sectionComponent:
		c.define(r, r.component(depth+1))
	case sectionInstance:
		c.each(r, "instances", (*reader).instance)
	case sectionAlias:
		c.each(r, "aliases", (*reader).alias)
	case sectionType:
		c.each(r, "types", func(r *reader) Definition { return r.deftype(0) })
	case sectionCanon:
		c.each(r, "canonical functions", (*reader).canon)
	case sectionImport:
		c.each(r, "imports", func(r *reader) Definition { return r.importDecl() })
	case sectionExport:
		c.each(r, "exports", (*reader).export)
	case sectionStart:
		r.refuse(r.pos, "start functions: values are not supported")
	case sectionValue:
		r.refuse(r.pos, "values are not supported")
	}
}

// each reads the definitions of a section.
func (c *Component) each(r *reader, what string, read func(*reader) Definition) {
	c.Definitions = append(c.Definitions, list(r, what, maxItems, read)...)
}

// define adds the one definition of a section.
func (c *Component) define(r *reader, d Definition) {
	if *r.items == 0 {
		r.exceed("more than %d definitions", maxItems)
		return
	}
	*r.items--
	c.Definitions = append(c.Definitions, d)
}

func (c *Component) custom(r *reader) {
	name := r.name()
	if *r.items == 0 {
		r.exceed("more than %d definitions", maxItems)
	}
	if r.err != nil {
		return
	}
	*r.items--
	c.Customs = append(c.Customs, Custom{Name: name, Offset: r.offset(), Size: len(r.b) - r.pos})
	if name == "component-name" && c.Names == nil {
		c.Names = r.names()
	}
	r.pos = len(r.b)
}
