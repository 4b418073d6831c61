package weave

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A table that nobody else sees and nobody changes says no more than which functions a call_indirect may call. An engine fills it for
// every instance all the same, which with 8,000 entries takes longer than all the rest. So such a table becomes code: for each type of
// function that is called through it there is a dispatch function, which takes the index behind the other parameters and calls what
// the table would have there.

// maxDispatched bounds what is added for the entries of tables, in instructions: each calls a function, and passes the parameters of that. It
// is enough for four times as many as the largest JavaScript engine at hand has, which are 8,000.
const (
	maxDispatched = 1 << 18
	perEntry      = 4 // beside those for the parameters
)

// The traps of a call_indirect, as the engine calls them.
const (
	noEntry   = "invalid table access"
	otherType = "indirect call type mismatch"
)

const trapPrefix = AddedName + ": "

// Trap returns the reason of a trap by the name of the function in which it happened, as a stack trace has it, if that is one that was
// added in order to trap as a call_indirect does. Else it returns nothing: the engine knows the reason.
func Trap(function string) string {
	for _, reason := range [...]string{noEntry, otherType} {
		if strings.HasSuffix(function, trapPrefix+reason) { // before it is the module's name
			return reason
		}
	}
	return ""
}

// Added reports whether a function was added, by its name in a stack trace.
func Added(function string) bool {
	return strings.HasSuffix(function, AddedName) || Trap(function) != ""
}

// dispatch is what has become of the tables of a module.
type dispatch struct {
	tables    map[uint32]*privateTable
	keepsRoom bool           // element segments that go leave an empty one in their place, since instructions name others
	declared  []uint32       // functions that ref.func names, and that only what goes has declared
	types     []Type         // to add
	numbers   map[string]int // of those, by Type.key
	functions []added        // to add
	called    map[site]int   // in functions
	holes     int            // that jumps have, in entries
}

// added is a function that some modules get and others do not.
type added struct {
	typ  int // in dispatch.types
	name string
	body func(w *writer)
}

// planDispatch finds the tables that become code, and what code.
func (m *Module) planDispatch() {
	d := &dispatch{called: map[site]int{}, numbers: map[string]int{}}
	m.dispatch = d
	d.tables = m.privateTables()
	if len(d.tables) == 0 && m.kept == nil {
		return
	}
	s := m.survey()
	if s == nil {
		d.tables = nil
		return
	}
	maps.DeleteFunc(d.tables, func(table uint32, _ *privateTable) bool { return s.touched[table] })
	m.canonicalTypes()
	m.dropScattered(d.tables)
	d.keepsRoom = s.elements
	m.planDeclared(s)
	if len(d.tables) == 0 {
		return
	}
	plain := d.typeOf(Type{})
	trap := func(reason string) uint32 {
		d.functions = append(d.functions, added{plain, trapPrefix + reason, func(w *writer) { w.raw([]byte{0, opUnreachable, opEnd}) }})
		return m.extra(len(d.functions) - 1)
	}
	traps := traps{noEntry: trap(noEntry), otherType: trap(otherType)}
	for _, index := range slices.Sorted(maps.Keys(d.tables)) {
		m.planTable(index, s, traps)
	}
}

// traps are the functions that trap.
type traps struct {
	noEntry, otherType uint32
}

// planTable adds what one table becomes.
func (m *Module) planTable(index uint32, s *survey, traps traps) {
	d := m.dispatch
	table := d.tables[index]
	add := func(t Type, body func(w *writer)) int {
		d.functions = append(d.functions, added{d.typeOf(t), AddedName, body})
		return len(d.functions) - 1
	}
	miss := m.extra(add(Type{Params: []byte{typeI32}}, func(w *writer) { table.writeMiss(w, traps) }))
	targets := m.targets(table) // for all types at once: there may be as many of them as entries
	done := map[int]int{}       // dispatch functions, by canonical type
	for _, site := range s.sites() {
		if site.table != index {
			continue
		}
		typ := m.canonical[site.typ]
		f, ok := done[typ]
		if !ok {
			t := m.types[typ]
			t.Params = append(slices.Clone(t.Params), typeI32)
			clusters := d.clusters(targets[typ])
			f = add(t, func(w *writer) { m.writeDispatcher(w, t, clusters, miss) })
			done[typ] = f
		}
		d.called[site] = f
	}
}

// typeOf returns the number of an added type.
func (d *dispatch) typeOf(t Type) int {
	n, ok := d.numbers[t.key()]
	if !ok {
		n = len(d.types)
		d.types = append(d.types, t)
		d.numbers[t.key()] = n
	}
	return n
}

// planDeclared notes the functions that would not be declared any more, so that no reference could be made to them. WebAssembly 2.0,
// section 3.4.10: they are those that are named outside of code.
func (m *Module) planDeclared(s *survey) {
	if len(s.references) == 0 {
		return
	}
	gone := map[uint32]bool{}
	for _, e := range m.exports {
		if e.kind == Function && !m.keeps(e.name) {
			gone[uint32(e.index)] = true
		}
	}
	for _, segment := range m.elementSegments() {
		if m.dispatch.tables[segment.table] != nil && segment.mode == active {
			for _, f := range segment.functions {
				if f != none {
					gone[uint32(f)] = true
				}
			}
		}
	}
	for f := range s.references {
		if gone[f] {
			m.dispatch.declared = append(m.dispatch.declared, f)
		}
	}
	slices.Sort(m.dispatch.declared)
}

// dispatcher returns the woven index of the function that does what call_indirect would do, if there is one.
func (m *Module) dispatcher(in instruction) (uint32, bool) {
	f, ok := m.dispatch.called[site{in.table, in.index}]
	return m.extra(f), ok
}

// sites returns what is called, always in the same order: equal modules are equal when they are woven.
func (s *survey) sites() []site {
	return slices.SortedFunc(maps.Keys(s.called), func(a, b site) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.typ, b.typ))
	})
}

// canonicalTypes finds which types are the same.
func (m *Module) canonicalTypes() {
	if m.canonical != nil {
		return
	}
	m.canonical = make([]int, len(m.types))
	first := make(map[string]int, len(m.types))
	for i, t := range m.types {
		key := t.key()
		if _, ok := first[key]; !ok {
			first[key] = i
		}
		m.canonical[i] = first[key]
	}
}

// key is the same for equal types.
func (t *Type) key() string {
	return string(appendU32(nil, uint32(len(t.Params)))) + string(t.Params) + string(t.Results)
}
