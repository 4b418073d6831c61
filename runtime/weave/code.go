package weave

const (
	// leafSize is the size up to which a function that calls nothing, does not loop and moves no memory has no check at its entry.
	leafSize = 48
	// leafCost is what a call costs its caller, in instructions, since what it calls may be such a leaf.
	leafCost = 16
	// perCheck is how many instructions one unit of fuel pays for: straight code costs too, if it is long.
	perCheck = 8
	// importCost is what a call of an imported function costs its caller: what the host does is in no proportion to what the guest does.
	importCost = 100 * perCheck
)

// measure is how fine the weaving is. Tests weave with a finer one, in which everything happens that is rare otherwise.
type measure struct {
	fuel       int32 // units from one yield to the next
	smallMove  int32 // bytes up to which a copy or fill of memory costs no more than other instructions
	chunkBits  int   // logarithm of the size of the pieces in which large ones are done, between checks
	memoryBits byte  // logarithm of how many bytes of them one unit of fuel pays for
	stretch    int   // instructions from one check to the next, with ticks
	seen       int32 // the tick that an instance takes for seen at first; 0: none
}

// standard is the measure of all modules. A check in the tightest loop takes about a nanosecond, so with fuel guests yield every 10 µs,
// and every few milliseconds when every instruction misses the processor's caches.
var standard = measure{fuel: 10_000, smallMove: 1 << 10, chunkBits: 20, memoryBits: 9, stretch: 1 << 13}

func (m *Module) writeCode(w *writer) *Error {
	w.u32(uint32(len(m.functions) - m.imported + addedFunctions + len(m.dispatch.functions)))
	if s := m.sections[sectionCode]; s != nil {
		r := *s
		r.pos = 0
		f := m.imported
		for n := r.u32(); n > 0; n-- {
			b := body{m: m, r: r.sub(r.u32()), local: len(m.types[m.functions[f]].Params)}
			f++
			b.measure()
			if b.r.err != nil {
				return b.r.err
			}
			w.sized(b.write)
			if len(w.b) > maxWoven {
				b.r.exceed("the module with its checks has more than %d bytes", maxWoven)
				return b.r.err
			}
		}
	}
	w.sized(m.writeRefill)
	w.sized(m.writeFill)
	w.sized(m.writeCopy)
	w.sized(m.writeStart)
	w.sized(m.writeCanary)
	for _, f := range m.dispatch.functions {
		w.sized(f.body)
	}
	return nil
}

// body is the body of a function of the module.
type body struct {
	m     *Module
	r     *reader
	code  int  // where the instructions begin
	local int  // how many local variables it has, parameters too
	moves bool // it copies or fills memory

	cost  int32   // of the function in units of fuel
	loops []int32 // the same of each loop, in the order they begin
	leaf  bool
}

// block is one that is open while the body is measured.
type block struct {
	loop  int // in loops, or -1
	began int // instructions, when it began
}

// measure reads the instructions and finds what each piece costs.
func (b *body) measure() {
	b.local += int(b.r.locals())
	b.code = b.r.pos
	b.leaf = len(b.r.b)-b.code <= leafSize
	instructions := 0
	open := []block{{loop: -1}}
	for b.r.err == nil && len(open) > 0 {
		in := b.m.instruction(b.r)
		instructions++
		switch in.op {
		case opLoop:
			b.leaf = false
			open = append(open, block{loop: len(b.loops), began: instructions})
			b.loops = append(b.loops, 1)
		case opBlock, opIf:
			open = append(open, block{loop: -1})
		case opEnd:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if last.loop >= 0 {
				b.loops[last.loop] = cost(instructions - last.began)
			}
		case opCall, opCallIndirect:
			b.leaf = false
			if in.op == opCall && int(in.index) < b.m.imported {
				instructions += importCost
			} else {
				instructions += leafCost
			}
		case opLocalGet, opLocalSet, opLocalTee:
			if uint64(in.index) >= uint64(b.local) { // it could be one of those for a move
				b.r.fail("local variable %d: there are %d", in.index, b.local)
			}
		case opMemoryGrow:
			b.leaf = false
		case opBulk:
			if in.sub >= bulkMemoryInit {
				b.leaf = false
				instructions += leafCost
			}
			if in.sub == bulkMemoryCopy || in.sub == bulkMemoryFill {
				b.moves = len(b.m.memories) > 0 // else for the engine to refuse
			}
		}
	}
	if b.r.err == nil && b.r.more() {
		b.r.fail("%d bytes behind the end of a function", len(b.r.b)-b.r.pos)
	}
	b.cost = cost(instructions)
}

// cost is at most what the longest function can have, far from what a counter of 32 bits holds.
func cost(instructions int) int32 { return 1 + int32(instructions/perCheck) }

// writeLocals declares the body's local variables, and those for the operands of a move.
func (b *body) writeLocals(w *writer) {
	if !b.moves {
		w.raw(b.r.b[:b.code])
		return
	}
	groups := b.r.u32()
	w.u32(groups + 1)
	w.raw(b.r.b[b.r.pos:b.code])
	w.u32(3)
	w.byte(typeI32)
}

// writeMove appends a memory.copy or memory.fill: as it is when little is moved, which is the rule, else as a call of what replaces it.
func (b *body) writeMove(w *writer, instruction []byte, sub uint32) {
	operand := func(op byte, i int) {
		w.byte(op)
		w.u32(uint32(b.local + i))
	}
	operands := func() {
		for _, i := range [...]int{to, from, size} {
			operand(opLocalGet, i)
		}
	}
	for _, i := range [...]int{size, from, to} {
		operand(opLocalSet, i)
	}
	operand(opLocalGet, size)
	w.b = appendI32Const(w.b, b.m.measure.smallMove)
	w.raw([]byte{opI32GtU, opIf, typeEmpty})
	operands()
	w.byte(opCall)
	if sub == bulkMemoryFill {
		w.u32(b.m.added(funcFill))
	} else {
		w.u32(b.m.added(funcCopy))
	}
	w.byte(opElse)
	operands()
	w.raw(instruction)
	w.byte(opEnd)
}

// write appends the woven body. The instructions have been read without an error before.
func (b *body) write(w *writer) {
	r, m := b.r, b.m
	r.pos = 0
	b.writeLocals(w)
	if !b.leaf {
		m.check(w, b.cost)
	}
	r.pos = b.code
	copied := r.pos // up to where the body is in w
	upTo := func(at int) {
		w.raw(r.b[copied:at])
		copied = at
	}
	replace := func(at int) {
		upTo(at)
		copied = r.pos
	}
	path := path{limit: m.measure.stretch}
	for loop := 0; r.more(); {
		at := r.pos
		in := m.instruction(r)
		if m.Check == Tick {
			switch path.next(in, b.labels(in, at)) {
			case before:
				upTo(at)
				m.checkTick(w)
			case behind:
				upTo(r.pos)
				m.checkTick(w)
			case instead:
				replace(at)
				m.branchTick(w, in)
			}
		}
		switch in.op {
		case opLoop:
			if m.Check == Fuel {
				upTo(r.pos)
				m.check(w, b.loops[loop])
				loop++
			}
		case opGlobalGet, opGlobalSet:
			if i := m.movedGlobal(in.index); i != in.index {
				replace(at)
				w.byte(in.op)
				w.u32(i)
			}
		case opCall, opRefFunc:
			replace(at)
			w.byte(in.op)
			w.u32(m.moved(in.index))
		case opCallIndirect:
			if f, ok := m.dispatcher(in); ok {
				replace(at)
				w.byte(opCall)
				w.u32(f)
			}
		case opBulk:
			switch in.sub {
			case bulkTableSize:
				if t := m.dispatch.tables[in.table]; t != nil {
					replace(at)
					w.b = appendI32Const(w.b, int32(len(t.entries)))
				}
			case bulkMemoryFill, bulkMemoryCopy:
				if b.moves {
					replace(at)
					b.writeMove(w, r.since(at), in.sub)
				}
			case bulkMemoryInit, bulkTableInit, bulkTableCopy, bulkTableFill:
				if f, ok := m.inPieces[in.index]; ok && in.sub == bulkMemoryInit {
					replace(at)
					w.byte(opCall)
					w.u32(f)
					break
				}
				// Rare, and large at most once in a while.
				replace(r.pos)
				w.byte(opCall)
				w.u32(m.added(funcRefill))
			}
		}
	}
	w.raw(r.b[copied:])
}

// labels returns the labels of a br_table; of other instructions none.
func (b *body) labels(in instruction, at int) []uint32 {
	if in.op != opBrTable {
		return nil
	}
	r := *b.r
	r.pos = at + 1
	labels := make([]uint32, r.u32()+1)
	for i := range labels {
		labels[i] = r.u32()
	}
	return labels
}
