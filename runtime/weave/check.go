package weave

// Check is how a woven module finds out that it is to yield.
type Check byte

const (
	// Fuel is a counter of the module's own, and when it is used up the module yields. It needs nothing of the host but the function.
	Fuel Check = iota
	// Tick is a number that the host changes every so often, the imported global [TickName]. The module yields when it is another one
	// than the last it has seen.
	Tick
)

// check appends a check, before what costs as much fuel up to the next. It leaves the stack as it was.
func (m *Module) check(w *writer, cost int32) {
	if m.Check == Tick {
		m.checkTick(w)
		return
	}
	m.take(w, cost)
	m.checkEmpty(w)
}

func (m *Module) take(w *writer, cost int32) {
	w.byte(opGlobalGet)
	w.u32(m.state())
	w.b = appendI32Const(w.b, cost)
	w.raw([]byte{opI32Sub, opGlobalSet})
	w.u32(m.state())
}

func (m *Module) checkEmpty(w *writer) {
	w.byte(opGlobalGet)
	w.u32(m.state())
	w.raw([]byte{opI32Const, 0, opI32LeS, opIf, typeEmpty, opCall})
	w.u32(m.added(funcRefill))
	w.byte(opEnd)
}

// branchTick appends a branch to the beginning of a loop, with a check. The usual case is a branch of its own.
func (m *Module) branchTick(w *writer, in instruction) {
	to := in.index
	if in.op == opBrIf {
		w.raw([]byte{opIf, typeEmpty})
		to++
	}
	m.compareTick(w)
	w.byte(opBrIf)
	w.u32(to)
	w.byte(opCall)
	w.u32(m.added(funcRefill))
	w.byte(opBr)
	w.u32(to)
	if in.op == opBrIf {
		w.byte(opEnd)
	}
}

// checkTick has an empty branch for the usual case, and the call in the other. The engine's register allocator goes on with the
// registers as the first branch leaves them: were that the call, nearly all values would lie on the stack from there on.
func (m *Module) checkTick(w *writer) {
	m.compareTick(w)
	w.raw([]byte{opIf, typeEmpty, opElse, opCall})
	w.u32(m.added(funcRefill))
	w.byte(opEnd)
}

// compareTick leaves on the stack whether the tick is the one that was seen last.
func (m *Module) compareTick(w *writer) {
	w.byte(opGlobalGet)
	w.u32(m.tick())
	w.byte(opGlobalGet)
	w.u32(m.state())
	w.byte(opI32Eq)
}
