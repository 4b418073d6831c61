package weave

import (
	"maps"
	"slices"
)

// none is an entry without a function.
const none = -1

// privateTable is a table that nobody but the module can see.
type privateTable struct {
	entries []int32 // functions by the module's own numbers, or none
}

// mode is what is done with an element segment.
type mode byte

const (
	active      mode = iota // copied to a table when the module is instantiated
	passive                 // copied by instructions
	declarative             // declares functions
)

// elementSegment is an element segment.
type elementSegment struct {
	mode      mode
	table     uint32
	known     bool // the following two are: they are constant, and what a table of functions may hold
	at        uint32
	functions []int32
}

// privateTables returns the tables that can become code unless an instruction is in the way, with their contents.
func (m *Module) privateTables() map[uint32]*privateTable {
	tables := map[uint32]*privateTable{}
	for i := len(m.tables) - m.ownTables; i < len(m.tables); i++ {
		t := m.tables[i]
		if l := t.Limits; t.Element == typeFuncref && !l.Shared && !l.Is64 && (!l.HasMax || l.Max >= l.Min) {
			tables[uint32(i)] = newPrivateTable(l.Min)
		}
	}
	for _, e := range m.exports {
		if e.kind == Table && m.keeps(e.name) {
			delete(tables, uint32(e.index))
		}
	}
	if len(tables) == 0 {
		return nil
	}
	fits := true
	for _, s := range m.elementSegments() {
		if s.mode != active || s.known && len(s.functions) == 0 {
			continue
		}
		// One that does not fit, or may not, keeps the engine from applying those that follow.
		fits = fits && s.known && uint64(s.at)+uint64(len(s.functions)) <= m.tableSize(s.table)
		switch t := tables[s.table]; {
		case t == nil:
		case fits:
			copy(t.entries[s.at:], s.functions)
		default:
			delete(tables, s.table)
		}
	}
	left := maxDispatched
	for _, index := range slices.Sorted(maps.Keys(tables)) {
		if left -= m.dispatchCost(tables[index]); left < 0 {
			delete(tables, index)
		}
	}
	return tables
}

func newPrivateTable(size uint64) *privateTable {
	t := &privateTable{entries: make([]int32, size)}
	for i := range t.entries {
		t.entries[i] = none
	}
	return t
}

// tableSize is how many entries a table has at least, when the module is instantiated.
func (m *Module) tableSize(table uint32) uint64 {
	if uint64(table) >= uint64(len(m.tables)) {
		return 0 // for the engine to refuse
	}
	return m.tables[table].Limits.Min
}

// perRun is what entries cost that lie between others without a function, beside what each costs. The function that traps looks at all such runs one by one, and
// the time that the engine takes for it grows with the square.
const perRun = 64

// dispatchCost is how many instructions the entries of a table become, about.
func (m *Module) dispatchCost(t *privateTable) int {
	n, last := 0, int32(none)
	for _, f := range t.entries {
		if f != none {
			n += perEntry + len(m.types[m.functions[f]].Params)
			if last == none {
				n += perRun
			}
		}
		last = f
	}
	return n
}

// elementSegments returns the element segments.
func (m *Module) elementSegments() []elementSegment {
	section := m.sections[sectionElement]
	if section == nil {
		return nil
	}
	r := *section
	r.pos = 0
	segments := make([]elementSegment, r.u32())
	for i := range segments {
		segments[i] = m.elementSegment(&r)
	}
	return segments
}

// elementSegment reads a segment that has been read before, without an error.
func (m *Module) elementSegment(r *reader) elementSegment {
	h := r.elementHeader()
	s := elementSegment{mode: h.mode, table: h.table, known: true}
	if h.mode == active {
		var at int32
		at, s.known = m.constantI32(r)
		s.at = uint32(at)
	}
	if h.typed && r.byte() != h.funcref() {
		s.known = false
	}
	s.functions = make([]int32, r.u32())
	for i := range s.functions {
		if !h.expressions {
			s.functions[i] = int32(r.u32())
		} else if f, ok := m.constantFunction(r); ok {
			s.functions[i] = f
		} else {
			s.known = false
		}
	}
	return s
}

// constantI32 reads a constant expression and returns its value, if it is a plain number.
func (m *Module) constantI32(r *reader) (int32, bool) {
	at := r.pos
	if r.byte() == opI32Const {
		if v, ok := r.i32(); ok && r.byte() == opEnd {
			return v, true
		}
	}
	r.pos = at
	m.constant(r, nil)
	return 0, false
}

// constantFunction reads a constant expression and returns the function that it refers to, or none, if it is as plain as that.
func (m *Module) constantFunction(r *reader) (int32, bool) {
	at := r.pos
	switch r.byte() {
	case opRefFunc:
		if f := int32(r.u32()); r.byte() == opEnd {
			return f, true
		}
	case opRefNull:
		if r.byte() == typeFuncref && r.byte() == opEnd {
			return none, true
		}
	}
	r.pos = at
	m.constant(r, nil)
	return none, false
}

// keptTables is how many of its own tables the woven module has: those that nobody can tell from none go, others become empty ones
// so that numbers stay.
func (m *Module) keptTables() int {
	n := m.ownTables
	for n > 0 && m.dispatch.tables[uint32(len(m.tables)-m.ownTables+n-1)] != nil {
		n--
	}
	return n
}

// writeElements writes the element segments less those of tables that have become code.
func (m *Module) writeElements(w *writer) {
	d := m.dispatch
	body, n := &writer{}, 0
	if section := m.sections[sectionElement]; section != nil {
		look, r := *section, *section
		look.pos, r.pos = 0, 0
		look.u32()
		for left := r.u32(); left > 0; left-- {
			s := m.elementSegment(&look)
			switch {
			case s.mode != active || d.tables[s.table] == nil:
				m.element(&r, body)
			case d.keepsRoom:
				m.element(&r, nil)
				body.declare(nil)
			default:
				m.element(&r, nil)
				continue
			}
			n++
		}
	}
	if len(d.declared) > 0 {
		functions := make([]uint32, len(d.declared))
		for i, f := range d.declared {
			functions[i] = m.moved(f)
		}
		body.declare(functions)
		n++
	}
	w.u32(uint32(n))
	w.raw(body.b)
}

// declare writes an element segment that makes references to the functions possible and nothing else.
func (w *writer) declare(functions []uint32) {
	w.raw([]byte{3, 0}) // declarative, of functions
	w.u32(uint32(len(functions)))
	for _, f := range functions {
		w.u32(f)
	}
}
