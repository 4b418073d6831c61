package wasmgen

const (
	sectionType      = 1
	sectionImport    = 2
	sectionFunction  = 3
	sectionTable     = 4
	sectionMemory    = 5
	sectionGlobal    = 6
	sectionExport    = 7
	sectionStart     = 8
	sectionElement   = 9
	sectionCode      = 10
	sectionData      = 11
	sectionDataCount = 12

	typeFunction = 0x60
)

// encode writes the module.
func (p *part) encode() []byte {
	m := code("\x00asm\x01\x00\x00\x00")
	var types code
	for _, t := range p.types {
		types.byte(typeFunction)
		types.sized(t.Params)
		types.sized(t.Results)
	}
	m.section(sectionType, len(p.types), types)
	var imports code
	for i, im := range p.imports {
		if im.Part == Host {
			imports.name(HostModule)
		} else {
			imports.name(PartName(im.Part))
		}
		imports.name(im.Name)
		imports.byte(p.descriptions[i]...)
	}
	m.section(sectionImport, len(p.imports), imports)
	var functions, bodies code
	own := 0
	for _, f := range p.functions {
		if f.imported {
			continue
		}
		own++
		functions.u32(f.index)
		var body code
		body.u32(len(f.locals))
		for _, t := range f.locals {
			body.u32(1)
			body.byte(t)
		}
		body.byte(f.body...)
		bodies.sized(body)
	}
	m.section(sectionFunction, own, functions)
	p.encodeTables(&m)
	if p.ownMemory {
		var memory code
		appendLimits(&memory, p.memory.min, p.memory.max)
		m.section(sectionMemory, 1, memory)
	}
	p.encodeGlobals(&m)
	var exports code
	for i, e := range p.exported {
		exports.name(e.Name)
		exports.byte(byte(e.Kind))
		exports.u32(p.indices[i])
	}
	m.section(sectionExport, len(p.exported), exports)
	if p.start >= 0 {
		var start code
		start.u32(p.start)
		m.byte(sectionStart)
		m.sized(start)
	}
	p.encodeElements(&m)
	if len(p.data) > 0 {
		var count code
		count.u32(len(p.data))
		m.byte(sectionDataCount)
		m.sized(count)
	}
	m.section(sectionCode, own, bodies)
	p.encodeData(&m)
	return m
}

func (p *part) encodeTables(m *code) {
	var tables code
	n := 0
	for _, t := range p.tables {
		if t.imported {
			continue
		}
		n++
		tables.byte(t.element)
		appendLimits(&tables, t.min, t.max)
	}
	m.section(sectionTable, n, tables)
}

func (p *part) encodeGlobals(m *code) {
	var globals code
	n := 0
	for _, g := range p.globals {
		if g.imported {
			continue
		}
		n++
		globals.byte(g.typ, 0)
		if g.mutable {
			globals[len(globals)-1] = 1
		}
		globals.byte(g.init...)
	}
	m.section(sectionGlobal, n, globals)
}

func (p *part) encodeElements(m *code) {
	const (
		explicit    = 2
		expressions = 4
	)
	var all code
	for _, e := range p.elements {
		flags := e.mode
		if e.expressions {
			flags |= expressions
		}
		if e.mode == 0 && (e.table > 0 || p.oneIn(3)) {
			flags |= explicit
		}
		all.byte(flags)
		if flags&3 == explicit {
			all.u32(e.table)
		}
		all.byte(e.offset...)
		switch {
		case flags&3 == 0:
		case e.expressions:
			all.byte(FuncRef)
		default:
			all.byte(0)
		}
		all.u32(len(e.functions))
		for _, f := range e.functions {
			switch {
			case !e.expressions:
				all.u32(f)
			case f < 0:
				all.byte(opRefNull, FuncRef, opEnd)
			default:
				all.op(opRefFunc, f)
				all.byte(opEnd)
			}
		}
	}
	m.section(sectionElement, len(p.elements), all)
}

func (p *part) encodeData(m *code) {
	var all code
	for _, d := range p.data {
		if d.passive {
			all.byte(1)
		} else {
			all.byte(0)
			all.byte(d.offset...)
		}
		all.sized(d.bytes)
	}
	m.section(sectionData, len(p.data), all)
}
