package weave

import (
	"bytes"
	"unicode/utf8"
)

// Section ids. WebAssembly 2.0, section 5.5.2; 13 is of the exception handling proposal.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	lastSection = sectionDataCount
	sectionTag  = 13
)

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code",
	"data", "data count"}

// sectionOrder is the order in which sections stand in a file.
var sectionOrder = [...]int{sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionGlobal, sectionExport,
	sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData}

var preamble = []byte("\x00asm\x01\x00\x00\x00")

// Read takes a module apart. It returns an *Error when it cannot.
func Read(wasm []byte) (*Module, error) {
	r := &reader{b: wasm}
	m := &Module{start: -1, names: map[int]string{}, measure: standard}
	if len(wasm) > MaxModule {
		r.exceed("a module of %d bytes: at most %d", len(wasm), MaxModule)
	} else if !bytes.HasPrefix(wasm, preamble) {
		r.fail("it does not begin as a module of version 1")
	}
	r.pos = min(len(preamble), len(wasm))
	names := m.split(r)
	for _, id := range sectionOrder {
		if s := m.sections[id]; s != nil && r.err == nil {
			m.decode(id, s)
			if s.err == nil && s.more() {
				s.fail("%d bytes too many", len(s.b)-s.pos)
			}
			r.join(s)
			s.pos = 0
		}
	}
	if s := m.sections[sectionCode]; r.err == nil && s == nil && len(m.functions) > m.imported {
		r.fail("%d functions without code", len(m.functions)-m.imported)
	}
	if r.err != nil {
		return nil, r.err
	}
	if names != nil {
		m.readNames(names)
	}
	return m, nil
}

// split finds the sections. It returns the contents of the custom section with names, if there is one.
func (m *Module) split(r *reader) (names *reader) {
	next := 0 // in sectionOrder
	for r.more() {
		at := r.pos
		id := int(r.byte())
		if id > lastSection {
			r.pos = at
			if id == sectionTag {
				r.lack("section %d, of tags: exceptions are not supported: build without them (-fno-exceptions, panic=abort)", id)
			} else {
				r.fail("section %d: not supported", id)
			}
			return nil
		}
		s := r.sub(r.u32())
		s.section = sectionNames[id]
		if id == sectionCustom {
			name := s.name(maxImportName)
			if s.err == nil && name == "name" && names == nil {
				names = s
			}
			r.join(s)
			if s.err == nil && name == stateName {
				m.readState(s)
			}
			continue
		}
		for next < len(sectionOrder) && sectionOrder[next] != id {
			next++
		}
		if next == len(sectionOrder) {
			r.pos = at
			r.fail("%s section: in the wrong place, or for the second time", sectionNames[id])
			return nil
		}
		next++
		m.sections[id] = s
	}
	return names
}

func (m *Module) decode(id int, r *reader) {
	switch id {
	case sectionType:
		m.readTypes(r)
	case sectionImport:
		m.readImports(r)
	case sectionFunction:
		for n := r.count("functions", maxFunctions); n > 0; n-- {
			m.functions = append(m.functions, r.index("type", len(m.types)))
		}
	case sectionTable:
		m.readTables(r)
	case sectionMemory:
		for n := r.count("memories", maxMemories); n > 0 && r.err == nil; n-- {
			l := m.memory(r)
			m.Memory = &l
		}
	case sectionGlobal:
		m.readGlobals(r)
	case sectionExport:
		m.readExports(r)
	case sectionStart:
		m.start = r.index("function", len(m.functions))
		if r.err == nil {
			if t := &m.types[m.functions[m.start]]; len(t.Params) != 0 || len(t.Results) != 0 {
				r.fail("the start function must take nothing and return nothing")
			}
		}
	case sectionElement:
		m.readElements(r)
	case sectionDataCount:
		m.segments = int(r.u32())
	case sectionCode:
		m.readCode(r)
	case sectionData:
		m.readData(r)
	}
}

func (m *Module) readTypes(r *reader) {
	for n := r.count("types", maxTypes); n > 0 && r.err == nil; n-- {
		switch form := r.byte(); form {
		case typeFunc:
		case 0x4d, 0x4e, 0x4f, 0x50, 0x5e, 0x5f:
			r.lack("type %#02x: garbage collected types are not supported", form)
		default:
			r.fail("type %#02x: not supported; only types of functions are", form)
		}
		params := r.valueTypes()
		m.types = append(m.types, Type{Params: params, Results: r.valueTypes()})
	}
}

func (r *reader) valueTypes() []byte {
	n := r.count("values", maxParams)
	b := r.bytes(uint32(n))
	for _, t := range b {
		r.checkValueType(t)
	}
	return b
}

func (r *reader) valueType() byte {
	t := r.byte()
	r.checkValueType(t)
	return t
}

func (r *reader) checkValueType(t byte) {
	switch {
	case isValueType(t):
	case t == 0x69, t == 0x74:
		r.lack("value type %#02x: exceptions are not supported", t)
	case t >= 0x63 && t <= 0x73:
		r.lack("value type %#02x: typed references and garbage collected types are not supported", t)
	default:
		r.fail("value type %#02x: not supported", t)
	}
}

func (m *Module) readImports(r *reader) {
	for n := r.count("imports", maxImports); n > 0 && r.err == nil; n-- {
		im := Import{Module: r.name(maxImportName), Name: r.name(maxImportName)}
		at := r.pos
		im.Kind = Kind(r.byte())
		switch im.Kind {
		case Function:
			t := r.index("type", len(m.types))
			if r.err == nil {
				im.Type = &m.types[t]
				m.functions = append(m.functions, t)
				m.imported++
			}
		case Table:
			im.Table = m.table(r)
		case Memory:
			im.Memory = m.memory(r)
		case Global:
			im.Global = GlobalType{Type: r.valueType(), Mutable: r.byte() != 0}
			m.globals = append(m.globals, im.Global)
			m.importedGlobals++
		case tag:
			r.lack("import of a tag: exceptions are not supported")
		default:
			r.fail("import of kind %d: not supported", im.Kind)
		}
		im.description = r.since(at)
		m.Imports = append(m.Imports, im)
	}
}

// limits reads the limits of a table or a memory.
func (m *Module) limits(r *reader) Limits {
	at := r.pos
	flags := r.byte()
	if flags > 7 {
		r.lack("limits of kind %#02x: not supported; pages of other sizes than 64 KiB are not", flags)
	}
	l := Limits{HasMax: flags&1 != 0, Shared: flags&2 != 0, Is64: flags&4 != 0}
	number := func() uint64 { return uint64(r.u32()) }
	if l.Is64 {
		number = r.u64
		if m.unsupported == nil {
			m.unsupported = &Error{Offset: r.base + at, Section: r.section, Reason: "memories and tables of 64 bits are not supported: build for wasm32", Unsupported: true}
		}
	}
	l.Min = number()
	if l.HasMax {
		l.Max = number()
	}
	return l
}

func (m *Module) table(r *reader) TableType {
	t := TableType{Element: r.byte()}
	if t.Element != typeFuncref && t.Element != typeExtern {
		r.lack("table of type %#02x: not supported", t.Element)
	}
	t.Limits = m.limits(r)
	m.addEntries(r, t.Limits.Min)
	m.tables = append(m.tables, t)
	return t
}

func (m *Module) memory(r *reader) Limits {
	if len(m.memories) > 0 {
		r.lack("a second memory: several memories in one module are not supported")
	}
	l := m.limits(r)
	m.memories = append(m.memories, l)
	return l
}

// addEntries bounds what wazero would allocate for each instance.
func (m *Module) addEntries(r *reader, n uint64) {
	if n > maxTableEntries-uint64(m.entries) {
		r.exceed("tables with more than %d entries: too many", maxTableEntries)
		return
	}
	m.entries += int(n)
}

func (m *Module) readTables(r *reader) {
	m.ownTables = r.count("tables", maxTables)
	for n := m.ownTables; n > 0 && r.err == nil; n-- {
		m.table(r)
	}
}

func (m *Module) readGlobals(r *reader) {
	for n := r.count("globals", maxGlobals); n > 0 && r.err == nil; n-- {
		at := r.pos
		t := m.global(r, nil)
		m.globals = append(m.globals, t)
		m.inits = append(m.inits, at+2) // behind the type, and whether it can be changed
	}
}

// global reads one global, and appends it to out, with its function indices moved, when that is not nil.
func (m *Module) global(r *reader, out *writer) GlobalType {
	at := r.pos
	t := GlobalType{Type: r.valueType(), Mutable: r.byte() != 0} // the engine looks at what the byte is
	out.raw(r.since(at))
	m.constant(r, out)
	return t
}

// constant reads a constant expression up to its end.
func (m *Module) constant(r *reader, out *writer) {
	for r.err == nil {
		at := r.pos
		in := m.instruction(r)
		switch in.op {
		case opRefFunc:
			out.byte(opRefFunc)
			out.u32(out.function(m, in.index))
			continue
		case opGlobalGet:
			m.constantGlobal(r, in.index)
			out.byte(opGlobalGet)
			out.u32(m.movedGlobal(in.index))
			continue
		case opI32Const, opI64Const, opF32Const, opF64Const, opRefNull,
			opI32Add, opI32Sub, opI32Mul, opI64Add, opI64Sub, opI64Mul, opEnd:
		case opVector:
			if in.sub != vectorConst {
				r.fail("instruction 0xfd %d: not constant", in.sub)
			}
		default:
			r.fail("instruction %#02x: not constant", in.op)
		}
		out.raw(r.since(at))
		if in.op == opEnd {
			return
		}
	}
}

// constantGlobal checks a global that a constant is made of. WebAssembly 2.0, section 3.3.10.2. The engine does not: it panics when a
// global begins as another of the module.
func (m *Module) constantGlobal(r *reader, i uint32) {
	switch {
	case r.err != nil:
	case m.globals[i].Mutable:
		r.fail("global %d: not constant", i)
	case r.section == sectionNames[sectionGlobal] && int(i) >= m.importedGlobals:
		r.fail("global %d: a global can begin as an imported one only", i)
	}
}

func (m *Module) readExports(r *reader) {
	for n := r.count("exports", maxExports); n > 0 && r.err == nil; n-- {
		e := export{name: r.name(maxImportName), kind: Kind(r.byte())}
		switch e.kind {
		case Function:
			e.index = r.index("function", len(m.functions))
		case Table:
			e.index = r.index("table", len(m.tables))
		case Memory:
			e.index = r.index("memory", len(m.memories))
		case Global:
			e.index = r.index("global", len(m.globals))
		case tag:
			r.lack("export of a tag: exceptions are not supported")
		default:
			r.fail("export of kind %d: not known", e.kind)
		}
		m.exports = append(m.exports, e)
	}
}

// elementHeader is how an element segment begins. WebAssembly 2.0, section 5.5.12.
type elementHeader struct {
	mode        mode
	table       uint32
	typed       bool // the kind or type of the elements is given; else they are functions
	expressions bool // they are given as expressions, else by number
}

// funcref is how the kind or type is given when the elements are functions.
func (h *elementHeader) funcref() byte {
	if h.expressions {
		return typeFuncref
	}
	return 0
}

func (r *reader) elementHeader() (h elementHeader) {
	const (
		notActive   = 1
		explicit    = 2 // has a table; not active: is declarative
		expressions = 4
	)
	flags := r.u32()
	if flags > notActive|explicit|expressions {
		r.fail("element segment of kind %d: not known", flags)
		return h
	}
	h.expressions = flags&expressions != 0
	h.typed = flags&(notActive|explicit) != 0
	switch {
	case flags&notActive == 0 && flags&explicit != 0:
		h.table = r.u32()
	case flags&notActive != 0 && flags&explicit != 0:
		h.mode = declarative
	case flags&notActive != 0:
		h.mode = passive
	}
	return h
}

// readElements reads the element segments.
func (m *Module) readElements(r *reader) {
	for n := r.count("element segments", maxSegments); n > 0 && r.err == nil; n-- {
		m.addEntries(r, uint64(m.element(r, nil)))
	}
}

// element reads an element segment, and appends it to out when that is not nil. It returns how many elements it has.
func (m *Module) element(r *reader, out *writer) int {
	at := r.pos
	h := r.elementHeader()
	out.raw(r.since(at))
	if r.err == nil && h.mode == active {
		m.constant(r, out)
	}
	at = r.pos
	if h.typed {
		r.byte()
	}
	out.raw(r.since(at))
	n := r.count("elements", maxTableEntries)
	out.u32(uint32(n))
	for range n {
		if r.err != nil {
			break
		}
		if h.expressions {
			m.constant(r, out)
		} else {
			out.u32(out.function(m, uint32(r.index("function", len(m.functions)))))
		}
	}
	return n
}

// readCode checks where the bodies are and how many locals they have. Their instructions are read when they are woven.
func (m *Module) readCode(r *reader) {
	n := r.count("functions", maxFunctions)
	if want := len(m.functions) - m.imported; r.err == nil && n != want {
		r.fail("code of %d functions, where %d are declared", n, want)
	}
	total := uint64(0)
	for ; n > 0 && r.err == nil; n-- {
		size := r.u32()
		if size > maxBody {
			r.exceed("a function of %d bytes: at most %d", size, maxBody)
			return
		}
		body := r.sub(size)
		total += body.locals()
		if total > maxLocals {
			body.exceed("all functions together have more than %d local variables", maxLocals)
		}
		r.join(body)
	}
}

// locals reads the declarations of a function's local variables and returns how many there are.
func (r *reader) locals() uint64 {
	total := uint64(0)
	for n := r.count("groups of local variables", maxFunctionLocals); n > 0 && r.err == nil; n-- {
		total += uint64(r.u32())
		r.valueType()
		if total > maxFunctionLocals {
			r.exceed("more than %d local variables in a function", maxFunctionLocals)
		}
	}
	return total
}

// readNames reads the names of functions for stack traces. They are no part of the module's meaning: what is wrong is left out.
func (m *Module) readNames(r *reader) {
	const functionNames = 1
	for r.more() {
		id := r.byte()
		s := r.sub(r.u32())
		if id != functionNames {
			continue
		}
		last := -1
		for n := s.u32(); n > 0 && s.err == nil; n-- {
			i := s.u32()
			name := s.bytes(s.u32())
			if s.err != nil || uint64(i) >= uint64(len(m.functions)) || int(i) <= last {
				return
			}
			last = int(i)
			if len(name) <= maxName && utf8.Valid(name) {
				m.names[last] = string(name)
			}
		}
		return
	}
}
