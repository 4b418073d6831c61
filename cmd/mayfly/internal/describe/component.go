package describe

// Sections of a component (Component Model, Binary.md).
const (
	componentCustom = 0
	componentModule = 1
	componentNested = 4
)

// maxNested is how deep components in components are looked into.
const maxNested = 32

// component gathers a component.
type component struct {
	s     Summary
	depth int
}

func (c *component) section(id byte, r *reader) error {
	switch id {
	case componentCustom:
		if c.depth > 0 {
			return nil
		}
		return c.s.custom(r)
	case componentModule:
		if len(c.s.Modules) >= maxItems {
			return nil
		}
		m := Module{Size: len(r.p)}
		c.inside(r.p, func(id byte, r *reader) error {
			if id == sectionCustom {
				switch r.name() {
				case "name":
					m.Name = moduleName(r)
				case "producers":
					c.s.producers(r)
				}
			}
			return nil
		})
		c.s.Modules = append(c.s.Modules, m)
	case componentNested:
		if c.depth < maxNested {
			c.depth++
			c.inside(r.p, c.section)
			c.depth--
		}
	}
	return nil
}

// inside looks at the sections of a binary within the component. One that is broken is
// told by whoever loads the whole.
func (c *component) inside(wasm []byte, f func(id byte, r *reader) error) {
	if len(wasm) >= headerSize {
		_ = sections(wasm, f)
	}
}

// moduleName reads the module's name of a name section (WebAssembly core
// specification, 7.4.1), which is its first subsection.
func moduleName(r *reader) string {
	if r.byte() != 0 {
		return ""
	}
	r.u32() // size
	name := r.name()
	if r.err != nil {
		return ""
	}
	return name
}
