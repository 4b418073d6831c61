package weave

// stateName is the custom section of an outline that says what survey would find in the module, and how many data segments that has.
const stateName = "mayfly.state"

// What can be seen of a module's code that makes an instance's state more than its memory and the values of its globals.
const (
	changesTables = 1 << iota
	dropsData
)

// Unrestorable says why an instance of the module cannot be put into the state of another by writing its memory and its globals, "" when it
// can. The first taken of its data segments are not in the module any more, see TakeData.
func (m *Module) Unrestorable(taken int) string {
	code := m.code()
	switch {
	case code&changesTables != 0:
		return "it reads or changes tables while it runs"
	case code&dropsData != 0:
		return "it drops data segments while it runs"
	case taken < m.segments:
		return "it has data segments whose place is known only when it begins"
	}
	for _, g := range m.globals[m.importedGlobals:] {
		if g.Mutable && (g.Type == typeFuncref || g.Type == typeExtern) {
			return "it has a global that can be changed and refers to a function or to something of the host"
		}
	}
	return ""
}

// State returns which globals of the woven module an instance's state is in, beside its memory, by their number in it.
func (m *Module) State() []int {
	var state []int
	for i := m.importedGlobals; i < len(m.globals); i++ {
		if m.globals[i].Mutable {
			state = append(state, int(m.movedGlobal(uint32(i))))
		}
	}
	return state
}

// code returns what all functions of the module, or of the one that it is an outline of, do.
func (m *Module) code() byte {
	if m.surveyed {
		return m.outlined
	}
	s := m.survey()
	if s == nil || s.elements || len(s.touched) > 0 {
		m.outlined |= changesTables
	}
	if s == nil || s.dropsData {
		m.outlined |= dropsData
	}
	m.surveyed = true
	return m.outlined
}

// writeState appends the section to an outline.
func (m *Module) writeState(w *writer) {
	w.section(sectionCustom, func(w *writer) {
		w.name(stateName)
		w.byte(m.code())
		w.u32(uint32(m.segments))
	})
}

// readState reads the section. A module that was not made by us may have one: what it says is added to what is found.
func (m *Module) readState(r *reader) {
	flags, segments := r.byte(), r.u32()
	if r.err == nil {
		m.outlined |= flags
		m.segments = max(m.segments, int(min(segments, maxSegments)))
	}
}
