package weave

// survey is what the instructions of all functions tell that must be known before the first of them is woven.
type survey struct {
	called     map[site]bool   // what call_indirect is used with
	touched    map[uint32]bool // tables that an instruction names which reads an entry or changes one
	references map[uint32]bool // functions that ref.func makes references to
	elements   bool            // an instruction names an element segment
	inits      map[uint32]bool // data segments that memory.init is used with
	dropsData  bool            // one empties a data segment
}

// site is a kind of call_indirect: any two with the same table and the same type do the same.
type site struct {
	table, typ uint32
}

// survey reads all instructions. It returns nil when it cannot; weaving the same functions will say why.
func (m *Module) survey() *survey {
	s := &survey{called: map[site]bool{}, touched: map[uint32]bool{}, references: map[uint32]bool{}, inits: map[uint32]bool{}}
	section := m.sections[sectionCode]
	if section == nil {
		return s
	}
	r := *section
	r.pos = 0
	for n := r.u32(); n > 0; n-- {
		code := r.sub(r.u32())
		code.locals()
		for code.more() {
			s.note(m.instruction(code))
		}
		if code.err != nil {
			return nil
		}
	}
	return s
}

func (s *survey) note(in instruction) {
	switch in.op {
	case opCallIndirect:
		s.called[site{in.table, in.index}] = true
	case opTableGet, opTableSet:
		s.touched[in.index] = true
	case opRefFunc:
		s.references[in.index] = true
	case opBulk:
		switch in.sub {
		case bulkMemoryInit:
			s.inits[in.index] = true
		case bulkTableInit:
			s.elements = true
			s.touched[in.table] = true
		case bulkElemDrop:
			s.elements = true
		case bulkTableCopy:
			s.touched[in.index], s.touched[in.table] = true, true
		case bulkDataDrop:
			s.dropsData = true
		case bulkTableGrow, bulkTableFill:
			s.touched[in.table] = true
		}
	}
}
