package weave

const (
	// leafSize is the size up to which a function that calls nothing, does not loop and moves no memory has no check at its entry.
	leafSize = 48
	// leafCost is what a call costs its caller, in instructions, since what it calls may be such a leaf.
	leafCost = 16
	// perCheck is how many instructions one unit of fuel pays for: straight code costs too, if it is long.
	perCheck = 8
	// hostCost is what a call of a function of the host costs, in units of fuel.
	hostCost = 1000
	// chunkBits is the logarithm of the size of the pieces in which large copies and fills of memory are done, between checks.
	chunkBits = 20
	// memoryBits is the logarithm of how many bytes of a copy or fill one unit of fuel pays for.
	memoryBits = 9
)

func (m *Module) writeCode(w *writer) *Error {
	w.u32(uint32(len(m.functions) + addedFunctions))
	if s := m.sections[sectionCode]; s != nil {
		r := *s
		r.pos = 0
		for n := r.u32(); n > 0; n-- {
			b := body{m: m, r: r.sub(r.u32())}
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
	for i := range m.imported {
		w.sized(func(w *writer) { m.writeStandIn(w, uint32(i)) })
	}
	return nil
}

// check takes cost from the fuel and calls the refill function when none is left. It leaves the stack as it was.
func (m *Module) check(w *writer, cost int32) {
	m.take(w, cost)
	m.checkEmpty(w)
}

func (m *Module) take(w *writer, cost int32) {
	w.byte(opGlobalGet)
	w.u32(m.fuel())
	w.b = appendI32Const(w.b, cost)
	w.raw([]byte{opI32Sub, opGlobalSet})
	w.u32(m.fuel())
}

func (m *Module) checkEmpty(w *writer) {
	w.byte(opGlobalGet)
	w.u32(m.fuel())
	w.raw([]byte{opI32Const, 0, opI32LeS, opIf, typeEmpty, opCall})
	w.u32(m.added(funcRefill))
	w.byte(opEnd)
}

// body is the body of a function of the module.
type body struct {
	m    *Module
	r    *reader
	code int // where the instructions begin

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
	b.r.locals()
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
		case opCall, opCallIndirect, opReturnCall, opReturnCallI:
			b.leaf = false
			instructions += leafCost
		case opMemoryGrow:
			b.leaf = false
		case opBulk:
			if in.sub >= bulkMemoryInit {
				b.leaf = false
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

// write appends the woven body. The instructions have been read without an error before.
func (b *body) write(w *writer) {
	r, m := b.r, b.m
	r.pos = 0
	w.raw(r.b[:b.code])
	if !b.leaf {
		m.check(w, b.cost)
	}
	r.pos = b.code
	copied := r.pos // up to where the body is in w
	replace := func(at int) {
		w.raw(r.b[copied:at])
		copied = r.pos
	}
	for loop := 0; r.more(); {
		at := r.pos
		in := m.instruction(r)
		switch in.op {
		case opLoop:
			replace(r.pos)
			m.check(w, b.loops[loop])
			loop++
		case opCall, opReturnCall, opRefFunc:
			replace(at)
			w.byte(in.op)
			w.u32(m.moved(in.index))
		case opBulk:
			switch in.sub {
			case bulkMemoryFill, bulkMemoryCopy:
				if m.Memory == nil {
					break // for the engine to refuse
				}
				replace(at)
				w.byte(opCall)
				if in.sub == bulkMemoryFill {
					w.u32(m.added(funcFill))
				} else {
					w.u32(m.added(funcCopy))
				}
			case bulkMemoryInit, bulkTableInit, bulkTableCopy, bulkTableFill:
				// Rare, and large at most once in a while.
				replace(r.pos)
				w.byte(opCall)
				w.u32(m.added(funcRefill))
			}
		}
	}
	w.raw(r.b[copied:])
}
