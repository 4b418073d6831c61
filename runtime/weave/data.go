package weave

// Kinds of data segments. WebAssembly 2.0, section 5.5.14.
const (
	segmentActive   = iota
	segmentPassive  // applied by memory.init only
	segmentExplicit // active, and says of which memory
	segmentKinds
)

// Segment is what an active data segment gives a memory before anything runs.
type Segment struct {
	At    uint64
	Bytes []byte
}

func (s Segment) end() uint64 { return s.At + uint64(len(s.Bytes)) }

// Segments is how many data segments the module has, active and passive ones.
func (m *Module) Segments() int { return m.segments }

// readData reads the data segments. How many there are has been said before by the data count section, if there is one.
func (m *Module) readData(r *reader) {
	n := r.count("data segments", maxSegments)
	if m.sections[sectionDataCount] != nil && n != m.segments && r.err == nil {
		r.fail("%d data segments, where %d are announced", n, m.segments)
	}
	for m.segments = n; n > 0 && r.err == nil; n-- {
		m.segment(r, nil)
	}
}

// segment reads a data segment, appends it to out when that is not nil, and returns its kind.
func (m *Module) segment(r *reader, out *writer) uint32 {
	at := r.pos
	flags := r.u32()
	if flags >= segmentKinds {
		r.fail("data segment of kind %d: not known", flags)
	}
	if flags == segmentExplicit {
		if i := r.u32(); i != 0 {
			r.fail("memory %d: only one memory is supported", i)
		}
	}
	out.raw(r.since(at))
	if flags != segmentPassive {
		m.constant(r, out)
	}
	at = r.pos
	r.bytes(r.u32())
	out.raw(r.since(at))
	return flags
}

// Data returns the active data segments whose place is known, in their order, up to the first that must stay in the module: because its
// place is not known, or because it does not fit a memory of size bytes and so has to trap. n is how many of all segments come before
// that one. imported returns the value of an imported global that cannot be changed, by its number among the imported globals.
func (m *Module) Data(size uint64, imported func(global int) (int32, bool)) (active []Segment, n int) {
	section := m.sections[sectionData]
	if section == nil || len(m.memories) == 0 {
		return nil, 0
	}
	r := *section
	r.pos = 0
	for count := int(r.u32()); n < count; n++ {
		flags := r.u32()
		if flags == segmentPassive {
			r.bytes(r.u32())
			continue
		}
		if flags == segmentExplicit {
			r.u32()
		}
		at, known := m.evaluate(&r, imported)
		s := Segment{uint64(uint32(at)), r.bytes(r.u32())}
		if !known || r.err != nil || s.end() > size {
			break
		}
		if len(s.Bytes) > 0 {
			active = append(active, s)
		}
	}
	return active, n
}

// TakeData makes Weave leave out the active ones of the first n data segments. Whoever calls it puts what Data returned into the memory
// before anything of an instance runs. n is at most what Data returned.
//
// An active segment is empty once it has been applied, so where an instruction names segments an empty one takes its place: memory.init
// traps for either, and data.drop does nothing.
func (m *Module) TakeData(n int) { m.taken = n }

// writeData writes the data sections around the code. Go's compiler, and tools that take snapshots, make a segment of each run of bytes
// that are not zero: ten thousand and more, and an engine would compute the place of each again for every instance.
func (m *Module) writeData(w, code *writer) {
	section := m.sections[sectionData]
	if section == nil {
		m.copySection(w, sectionDataCount)
		w.raw(code.b)
		return
	}
	if m.namesData || m.taken == 0 {
		m.copySection(w, sectionDataCount)
	}
	w.raw(code.b)
	stay := &writer{}
	r := *section
	r.pos = 0
	count, kept := int(r.u32()), 0
	for n := range count {
		at := len(stay.b)
		flags := m.segment(&r, stay)
		switch {
		case n >= m.taken || flags == segmentPassive && m.namesData:
		case m.namesData:
			stay.b = stay.b[:at]
			stay.raw([]byte{segmentActive, opI32Const, 0, opEnd, 0})
		default:
			stay.b = stay.b[:at]
			continue // a passive one among the taken that nobody names is of no use
		}
		kept++
	}
	if kept > 0 {
		w.section(sectionData, func(w *writer) {
			w.u32(uint32(kept))
			w.raw(stay.b)
		})
	}
}

// GlobalValue returns with what value a global of 32 bits begins that cannot be changed, by its number; see Data for imported.
func (m *Module) GlobalValue(i int, imported func(global int) (int32, bool)) (int32, bool) {
	switch {
	case m.globals[i] != GlobalType{Type: typeI32}:
		return 0, false
	case i < m.importedGlobals:
		return imported(i)
	}
	r := *m.sections[sectionGlobal]
	r.pos = m.inits[i-m.importedGlobals]
	return m.evaluate(&r, imported)
}

// evaluate evaluates a constant expression up to its end, as far as a value of 32 bits can be made of others. It reports false where it
// cannot be known, or is wrong, and has read all of it in any case.
func (m *Module) evaluate(r *reader, imported func(global int) (int32, bool)) (int32, bool) {
	var stack []int32
	if r.pos+2 < len(r.b) && r.b[r.pos] == opI32Const && r.b[r.pos+1] < 0x40 && r.b[r.pos+2] == opEnd { // the same, without a stack
		r.pos += 3
		return int32(r.b[r.pos-2]), true
	}
	known := true
	for r.err == nil {
		at := r.pos
		in := m.instruction(r)
		switch in.op {
		case opI32Const:
			v := reader{b: r.since(at + 1)}
			n, ok := v.i32()
			stack, known = append(stack, n), known && ok
		case opGlobalGet:
			n, ok := int32(0), false
			if int(in.index) < m.importedGlobals && m.globals[in.index] == (GlobalType{Type: typeI32}) {
				n, ok = imported(int(in.index))
			}
			stack, known = append(stack, n), known && ok
		case opI32Add, opI32Sub, opI32Mul:
			if len(stack) < 2 {
				stack, known = append(stack, 0), false
				continue
			}
			a, b := stack[len(stack)-2], stack[len(stack)-1]
			stack = append(stack[:len(stack)-2], operate(in.op, a, b))
		case opEnd:
			if len(stack) != 1 {
				return 0, false
			}
			return stack[0], known
		default:
			known = false
		}
	}
	return 0, false
}

func operate(op byte, a, b int32) int32 {
	switch op {
	case opI32Add:
		return a + b
	case opI32Sub:
		return a - b
	}
	return a * b
}
