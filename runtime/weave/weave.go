package weave

import "strconv"

// What a woven module imports and exports beyond its own.
const (
	YieldModule = "mayfly"
	YieldName   = "yield" // func()
	TickName    = "tick"  // a global of 32 bits that can be changed; of modules that are woven so
	// StartName is the export that the start function has become: to be called before any other.
	StartName = "mayfly:start"
	// CanaryName is the export of a function that returns Module.Canary, of 64 bits. Whoever loads code that somebody else compiled calls it
	// before anything else.
	CanaryName = "mayfly:canary"
	// AddedName is what all functions that were added are called. They tell nobody anything in a stack trace.
	AddedName = "mayfly.woven"
)

// Added types, after the module's own.
const (
	typeYield  = iota // ()
	typeFill          // (i32, i32, i32): of memory.fill and memory.copy
	typeCanary        // () -> i64
	addedTypes
)

// Added functions. The import goes behind the module's imports, so all other functions move up by one. These follow the module's own.
const (
	funcRefill = iota
	funcFill
	funcCopy
	funcStart
	funcCanary
	addedFunctions
)

// moved returns the woven index of a function of the module.
func (m *Module) moved(i uint32) uint32 {
	if int(i) < m.imported {
		return i
	}
	return i + 1
}

func (m *Module) added(f int) uint32     { return uint32(len(m.functions) + 1 + f) }
func (m *Module) extra(f int) uint32     { return m.added(addedFunctions + f) }
func (m *Module) yield() uint32          { return uint32(m.imported) }
func (m *Module) addedType(t int) uint32 { return uint32(len(m.types) + t) }

// movedGlobal returns the woven index of a global of the module: the tick is imported behind the module's imports.
func (m *Module) movedGlobal(i uint32) uint32 {
	if m.Check != Tick || int(i) < m.importedGlobals {
		return i
	}
	return i + 1
}

func (m *Module) tick() uint32 { return uint32(m.importedGlobals) }

// state is the added global: the fuel that is left, or the tick that was seen last.
func (m *Module) state() uint32 { return m.movedGlobal(uint32(len(m.globals))) }

// Weave returns the woven module. It returns an *Error when a function cannot be read, or when the module has what is not supported.
func (m *Module) Weave() ([]byte, error) {
	if m.unsupported != nil {
		return nil, m.unsupported
	}
	if err := m.checkExports(); err != nil {
		return nil, err
	}
	m.planDispatch()
	m.planInits()
	size := len(preamble)
	for _, s := range m.sections {
		if s != nil {
			size += len(s.b)
		}
	}
	w := &writer{b: make([]byte, 0, size+size/4+4<<10)}
	w.raw(preamble)
	w.section(sectionType, m.writeTypes)
	w.section(sectionImport, m.writeImports)
	w.section(sectionFunction, m.writeFunctions)
	if m.keptTables() > 0 {
		w.section(sectionTable, m.writeTables)
	}
	m.copySection(w, sectionMemory)
	w.section(sectionGlobal, m.writeGlobals)
	w.section(sectionExport, m.writeExports)
	if m.sections[sectionElement] != nil || len(m.dispatch.declared) > 0 {
		w.section(sectionElement, m.writeElements)
	}
	var err *Error
	code := &writer{b: make([]byte, 0, size)} // it is known only then whether an instruction names a data segment
	code.section(sectionCode, func(w *writer) { err = m.writeCode(w) })
	if err != nil {
		return nil, err
	}
	m.writeData(w, code)
	w.section(sectionCustom, m.writeNames)
	return w.b, nil
}

func (m *Module) copySection(w *writer, id int) {
	if s := m.sections[id]; s != nil {
		w.section(byte(id), func(w *writer) { w.raw(s.b) })
	}
}

// items returns the items of a section, without their count.
func (m *Module) items(id int) []byte {
	s := m.sections[id]
	if s == nil {
		return nil
	}
	r := *s
	r.pos = 0
	r.u32()
	return r.b[r.pos:]
}

func (m *Module) writeTypes(w *writer) {
	w.u32(uint32(len(m.types) + addedTypes + len(m.dispatch.types)))
	w.raw(m.items(sectionType))
	w.raw([]byte{typeFunc, 0, 0})
	w.raw([]byte{typeFunc, 3, typeI32, typeI32, typeI32, 0})
	w.raw([]byte{typeFunc, 0, 1, typeI64})
	for _, t := range m.dispatch.types {
		w.byte(typeFunc)
		w.u32(uint32(len(t.Params)))
		w.raw(t.Params)
		w.u32(uint32(len(t.Results)))
		w.raw(t.Results)
	}
}

func (m *Module) writeImports(w *writer) {
	added := 1
	if m.Check == Tick {
		added++
	}
	w.u32(uint32(len(m.Imports) + added))
	if m.links == nil {
		w.raw(m.items(sectionImport))
	}
	for i, l := range m.links {
		w.name(l.Module)
		w.name(l.Name)
		w.raw(m.Imports[i].description)
	}
	w.name(YieldModule)
	w.name(YieldName)
	w.byte(byte(Function))
	w.u32(m.addedType(typeYield))
	if m.Check == Tick {
		w.name(YieldModule)
		w.name(TickName)
		w.raw([]byte{byte(Global), typeI32, 1})
	}
}

func (m *Module) writeFunctions(w *writer) {
	w.u32(uint32(len(m.functions) - m.imported + addedFunctions + len(m.dispatch.functions)))
	w.raw(m.items(sectionFunction))
	w.u32(m.addedType(typeYield))
	w.u32(m.addedType(typeFill))
	w.u32(m.addedType(typeFill))
	w.u32(m.addedType(typeYield)) // funcStart
	w.u32(m.addedType(typeCanary))
	for _, f := range m.dispatch.functions {
		w.u32(m.addedType(addedTypes + f.typ))
	}
}

// writeTables gives every table a maximum: table.grow may refuse at any time, and wazero would not before 4 billion.
func (m *Module) writeTables(w *writer) {
	first, n := len(m.tables)-m.ownTables, m.keptTables()
	w.u32(uint32(n))
	for i := first; i < first+n; i++ {
		t := m.tables[i]
		w.byte(t.Element)
		l := t.Limits
		if m.dispatch.tables[uint32(i)] != nil {
			l = Limits{HasMax: true}
		}
		if limit := l.Min + tableGrowth; !l.HasMax || l.Max > limit {
			l.Max = limit
		}
		if l.Shared {
			w.byte(3) // for the engine to refuse
		} else {
			w.byte(1)
		}
		w.u32(uint32(l.Min))
		w.u32(uint32(l.Max))
	}
}

func (m *Module) writeGlobals(w *writer) {
	w.u32(uint32(len(m.globals) - m.importedGlobals + 1))
	if s := m.sections[sectionGlobal]; s != nil {
		r := *s
		r.pos = 0
		for n := r.u32(); n > 0; n-- {
			m.global(&r, w)
		}
	}
	state := m.measure.fuel
	if m.Check == Tick {
		state = m.measure.seen
	}
	w.raw([]byte{typeI32, 1})
	w.b = append(appendI32Const(w.b, state), opEnd)
}

func (m *Module) writeExports(w *writer) {
	n := 1
	for _, e := range m.exports {
		if m.keeps(e.name) {
			n++
		}
	}
	if m.HasStart() {
		n++
	}
	w.u32(uint32(n))
	for _, e := range m.exports {
		if !m.keeps(e.name) {
			continue
		}
		w.name(e.name)
		w.byte(byte(e.kind))
		switch e.kind {
		case Function:
			w.u32(m.moved(uint32(e.index)))
		case Global:
			w.u32(m.movedGlobal(uint32(e.index)))
		default:
			w.u32(uint32(e.index))
		}
	}
	if m.HasStart() {
		w.name(StartName)
		w.byte(byte(Function))
		w.u32(m.added(funcStart))
	}
	w.name(CanaryName)
	w.byte(byte(Function))
	w.u32(m.added(funcCanary))
}

// writeNames names the functions for stack traces. Those without a name get their number in the original module, or what they are
// exported as, since a number that the engine would show is that of the woven module.
func (m *Module) writeNames(w *writer) {
	for _, e := range m.exports {
		if _, named := m.names[e.index]; e.kind == Function && !named && len(e.name) <= maxName {
			m.names[e.index] = e.name
		}
	}
	const (
		moduleName    = 0
		functionNames = 1
	)
	w.name("name")
	if m.Name != "" {
		w.section(moduleName, func(w *writer) { w.name(m.Name) })
	}
	w.section(functionNames, func(w *writer) {
		w.u32(uint32(len(m.functions) - m.imported + addedFunctions + len(m.dispatch.functions)))
		for i := m.imported; i < len(m.functions); i++ {
			name, ok := m.names[i]
			if !ok {
				name = "$" + strconv.Itoa(i)
			}
			w.u32(m.moved(uint32(i)))
			w.name(name)
		}
		for i := range addedFunctions {
			w.u32(m.added(i))
			w.name(AddedName)
		}
		for i, f := range m.dispatch.functions {
			w.u32(m.extra(i))
			w.name(f.name)
		}
	})
}
