package weave

// The bodies of the functions that are added to a module. Each begins with its local variables.

// writeRefill: fuel is what it was at first; the host has its turn.
func (m *Module) writeRefill(w *writer) {
	w.byte(0)
	if m.Check == Tick {
		m.writeSeen(w)
		return
	}
	w.b = appendI32Const(w.b, m.measure.fuel)
	w.byte(opGlobalSet)
	w.u32(m.state())
	w.byte(opCall)
	w.u32(m.yield())
	w.byte(opEnd)
}

// writeSeen: the tick has been seen; the host has its turn, but when it is the first tick that the instance has seen. An instance begins
// with the number 0, which the tick takes for a millisecond in seven weeks.
func (m *Module) writeSeen(w *writer) {
	w.byte(opGlobalGet)
	w.u32(m.state())
	w.byte(opGlobalGet)
	w.u32(m.tick())
	w.byte(opGlobalSet)
	w.u32(m.state())
	w.raw([]byte{opIf, typeEmpty, opCall})
	w.u32(m.yield())
	w.raw([]byte{opEnd, opEnd})
}

// writeStart: calls the start function. To export that itself would allow references to it that are not valid in the original.
func (m *Module) writeStart(w *writer) {
	w.byte(0)
	if m.HasStart() {
		w.byte(opCall)
		w.u32(m.moved(uint32(m.start)))
	}
	w.byte(opEnd)
}

// writeCanary: nothing but what is known to who calls it.
func (m *Module) writeCanary(w *writer) {
	w.byte(0)
	w.b = appendI64Const(w.b, m.Canary)
	w.byte(opEnd)
}

// Parameters of memory.fill and memory.copy, and of what replaces them.
const (
	to   = 0
	from = 1 // or the value to fill with
	size = 2
)

// writeFill: memory.fill in chunks with a check between them.
//
// Cutting would have one visible effect: a fill that runs out of bounds traps before it writes, and a cut one after it has written a
// part. So what is out of bounds is not cut.
func (m *Module) writeFill(w *writer) {
	w.byte(0)
	if len(m.memories) == 0 { // never called
		w.byte(opEnd)
		return
	}
	fill := []byte{opBulk, bulkMemoryFill, 0}
	m.ifLarge(w, to)
	w.raw([]byte{opLoop, typeEmpty})
	w.raw([]byte{opLocalGet, to, opLocalGet, from})
	m.chunk(w)
	w.raw(fill)
	m.advance(w, to, opI32Add)
	m.nextChunk(w)
	w.raw([]byte{opEnd, opEnd, opEnd})
	m.rest(w, fill)
}

// writeCopy: memory.copy in chunks, in the direction that is right when source and destination overlap.
func (m *Module) writeCopy(w *writer) {
	w.byte(0)
	if len(m.memories) == 0 { // never called
		w.byte(opEnd)
		return
	}
	move := []byte{opBulk, bulkMemoryCopy, 0, 0}
	m.ifLarge(w, to, from)
	w.raw([]byte{opLocalGet, to, opLocalGet, from, opI32GtU, opIf, typeEmpty})
	{ // Downwards: the last chunk first.
		w.raw([]byte{opLoop, typeEmpty})
		for _, local := range []byte{to, from} {
			w.raw([]byte{opLocalGet, local, opLocalGet, size, opI32Add})
			m.chunk(w)
			w.byte(opI32Sub)
		}
		m.chunk(w)
		w.raw(move)
		m.nextChunk(w)
		w.byte(opEnd)
	}
	w.byte(opElse)
	{
		w.raw([]byte{opLoop, typeEmpty})
		w.raw([]byte{opLocalGet, to, opLocalGet, from})
		m.chunk(w)
		w.raw(move)
		m.advance(w, to, opI32Add)
		m.advance(w, from, opI32Add)
		m.nextChunk(w)
		w.byte(opEnd)
	}
	w.raw([]byte{opEnd, opEnd, opEnd})
	m.rest(w, move)
}

// ifLarge opens two blocks that run when there is more than a chunk, and all of it is within the memory.
func (m *Module) ifLarge(w *writer, addresses ...byte) {
	w.raw([]byte{opLocalGet, size})
	m.chunk(w)
	w.raw([]byte{opI32GtU, opIf, typeEmpty})
	for i, address := range addresses {
		w.raw([]byte{opLocalGet, address, opI64ExtendU, opLocalGet, size, opI64ExtendU, opI64Add})
		w.raw([]byte{opMemorySize, 0, opI64ExtendU, opI64Const, 16, opI64Shl, opI64LeU})
		if i > 0 {
			w.byte(opI32And)
		}
	}
	w.raw([]byte{opIf, typeEmpty})
}

func (m *Module) chunk(w *writer) { w.b = appendI32Const(w.b, 1<<m.measure.chunkBits) }

// advance adds a chunk to a local variable, or subtracts it.
func (m *Module) advance(w *writer, local, op byte) {
	w.raw([]byte{opLocalGet, local})
	m.chunk(w)
	w.raw([]byte{op, opLocalSet, local})
}

// nextChunk begins the loop anew while there is more than a chunk.
func (m *Module) nextChunk(w *writer) {
	m.check(w, 1<<(m.measure.chunkBits-int(m.measure.memoryBits)))
	m.advance(w, size, opI32Sub)
	w.raw([]byte{opLocalGet, size})
	m.chunk(w)
	w.raw([]byte{opI32GtU, opBrIf, 0})
}

// rest does what is left, or all of it.
func (m *Module) rest(w *writer, op []byte) {
	w.raw([]byte{opLocalGet, to, opLocalGet, from, opLocalGet, size})
	w.raw(op)
	if m.Check == Tick {
		m.checkTick(w)
	} else {
		w.byte(opGlobalGet)
		w.u32(m.state())
		w.raw([]byte{opLocalGet, size, opI32Const, m.measure.memoryBits, opI32ShrU, opI32Sub, opGlobalSet})
		w.u32(m.state())
		m.checkEmpty(w)
	}
	w.byte(opEnd)
}
