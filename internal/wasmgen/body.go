package wasmgen

const (
	startFuel = 1500 // function entries and turns of loops in one call
	maxDepth  = 6    // calls through tables within one another
	maxSize   = 120  // instructions of a body, roughly, before the innermost are made short
)

// body writes the instructions of a function.
type body struct {
	*part
	c        code
	locals   []byte // all, parameters first
	settable []int  // those that are no loop's counter
	open     []bool // of all open blocks, whether they are such
	size     int
	first    int // index of the function: it calls those after it only
}

func (p *part) newBody(f int) *body {
	b := &body{part: p, first: f}
	for _, t := range p.functions[f].typ.Params {
		b.settable = append(b.settable, b.local(t))
	}
	return b
}

// local adds a local variable.
func (b *body) local(t byte) int {
	b.locals = append(b.locals, t)
	return len(b.locals) - 1
}

func (b *body) done(f int) {
	b.c.byte(opEnd)
	b.functions[f].body = b.c
	b.functions[f].locals = b.locals[len(b.functions[f].typ.Params):]
}

// writeBodies writes those of the functions that are declared, and chooses a start function.
func (p *part) writeBodies() {
	for f := range p.functions {
		if p.functions[f].imported {
			continue
		}
		b := p.newBody(f)
		for range p.below(4) {
			b.settable = append(b.settable, b.local(pick(p.random, values)))
		}
		b.burn()
		for range p.between(1, 5) {
			b.statement(3)
		}
		for _, t := range p.functions[f].typ.Results {
			b.value(t, 3)
		}
		b.done(f)
	}
	if p.oneIn(6) {
		p.start = p.ownFunction(Type{})
		b := p.newBody(p.start)
		b.fill()
		for range p.between(1, 3) {
			b.statement(2)
		}
		b.done(p.start)
	}
}

// burn takes one from the fuel and traps when there is none.
func (b *body) burn() {
	b.c.op(opGlobalGet, b.fuel)
	b.c.byte(opI32Eqz, opIf, blockEmpty, opUnreachable, opEnd)
	b.addGlobal(b.fuel, -1)
}

func (b *body) addGlobal(g, n int) {
	b.c.op(opGlobalGet, g)
	b.c.i32(n)
	b.c.byte(opI32Add)
	b.c.op(opGlobalSet, g)
}

// fill gives the module its fuel.
func (b *body) fill() {
	b.c.i32(startFuel)
	b.c.op(opGlobalSet, b.fuel)
	b.c.i32(0)
	b.c.op(opGlobalSet, b.depth)
}

func (b *body) begin(op, t byte) {
	b.c.byte(op, t)
	b.open = append(b.open, op == opBlock && t == blockEmpty)
}

func (b *body) end() {
	b.c.byte(opEnd)
	b.open = b.open[:len(b.open)-1]
}

// target returns the label of an open block, if there is one that a branch ends.
func (b *body) target() (int, bool) {
	var all []int
	for i, ok := range b.open {
		if ok {
			all = append(all, len(b.open)-1-i)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return pick(b.random, all), true
}

// statement writes something that leaves the stack as it was.
func (b *body) statement(depth int) {
	b.size += 5
	if b.size > maxSize {
		depth = 0
	}
	if depth > 0 && b.oneIn(3) {
		b.block(depth - 1)
		return
	}
	switch b.below(12) {
	case 0, 1:
		if len(b.settable) > 0 {
			l := pick(b.random, b.settable)
			b.value(b.locals[l], depth)
			b.c.op(opLocalSet, l)
		}
	case 2, 3:
		b.setGlobal(depth)
	case 4, 5, 6:
		b.store(depth)
	case 7:
		b.changeMemory(depth)
	case 8:
		b.changeTable(depth)
	case 9:
		if f, ok := b.callee(); ok {
			b.call(f, depth)
			b.drop(len(b.functions[f].typ.Results))
		}
	case 10:
		b.callTable(depth)
	case 11:
		b.leave(depth)
	}
}

func (b *body) drop(n int) {
	for range n {
		b.c.byte(opDrop)
	}
}

// block writes a block, a choice or a loop.
func (b *body) block(depth int) {
	inside := func() {
		for range b.between(1, 3) {
			b.statement(depth)
		}
	}
	switch b.below(4) {
	case 0:
		b.begin(opBlock, blockEmpty)
		inside()
		b.end()
	case 1:
		b.value(I32, depth)
		b.begin(opIf, blockEmpty)
		inside()
		if b.oneIn(2) {
			b.c.byte(opElse)
			inside()
		}
		b.end()
	case 2:
		counter := b.local(I32)
		b.c.i32(b.between(1, 5))
		b.c.op(opLocalSet, counter)
		b.begin(opLoop, blockEmpty)
		b.burn()
		inside()
		b.c.op(opLocalGet, counter)
		b.c.i32(1)
		b.c.byte(opI32Sub)
		b.c.op(opLocalTee, counter)
		b.c.op(opBrIf, 0)
		b.end()
	case 3:
		n := b.between(1, 3)
		for range n {
			b.begin(opBlock, blockEmpty)
		}
		b.value(I32, depth)
		b.c.op(opBrTable, n-1)
		for range n {
			b.c.u32(b.below(n))
		}
		for range n {
			b.end()
			b.statement(depth)
		}
	}
}

// leave leaves a block or the function, on a condition.
func (b *body) leave(depth int) {
	if label, ok := b.target(); ok {
		b.value(I32, depth)
		b.c.op(opBrIf, label)
		return
	}
	b.value(I32, depth)
	b.c.i32(pick(b.random, []int{3, 15, 255}))
	b.c.byte(opI32And, opI32Eqz)
	b.begin(opIf, blockEmpty)
	if b.oneIn(3) {
		b.c.byte(opUnreachable)
	} else {
		for _, t := range b.functions[b.first].typ.Results {
			b.value(t, 0)
		}
		b.c.byte(opReturn)
	}
	b.end()
}

func (b *body) setGlobal(depth int) {
	var all []int
	for i, g := range b.globals {
		if g.mutable && i != b.fuel && i != b.depth {
			all = append(all, i)
		}
	}
	if len(all) > 0 {
		g := pick(b.random, all)
		b.value(b.globals[g].typ, depth)
		b.c.op(opGlobalSet, g)
	}
}

// callee chooses a function that can be called without an end of recursion being in doubt.
func (b *body) callee() (int, bool) {
	var all []int
	for f := range b.functions {
		if b.functions[f].imported || f > b.first && f != b.start {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return pick(b.random, all), true
}

func (b *body) call(f, depth int) {
	for _, t := range b.functions[f].typ.Params {
		b.value(t, depth-1)
	}
	b.c.op(opCall, f)
}

// callTable calls through a table, if the depth allows it.
func (b *body) callTable(depth int) {
	table, t, ok := b.callable()
	if !ok {
		return
	}
	b.deeper(func() {
		b.callThrough(table, t, depth)
		b.drop(len(t.Results))
	}, blockEmpty)
}

// deeper writes a choice: call, if the depth allows it.
func (b *body) deeper(call func(), t byte) {
	b.c.op(opGlobalGet, b.depth)
	b.c.i32(maxDepth)
	b.c.byte(opI32LtU)
	b.begin(opIf, t)
	b.addGlobal(b.depth, 1)
	call()
	b.addGlobal(b.depth, -1)
	if t != blockEmpty {
		b.c.byte(opElse)
		b.c.constant(t, b.bits())
	}
	b.end()
}

// callable chooses a table and a type that may be right for some of its entries.
func (b *body) callable() (int, Type, bool) {
	var all []int
	for i, t := range b.tables {
		if t.element == FuncRef {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return 0, Type{}, false
	}
	table := pick(b.random, all)
	t := pick(b.random, b.generator.types)
	if c := b.tables[table].contents; len(c) > 0 && !b.oneIn(5) {
		if f := pick(b.random, c); f >= 0 {
			t = b.functions[f].typ
		}
	}
	return table, t, true
}

func (b *body) callThrough(table int, t Type, depth int) {
	for _, p := range t.Params {
		b.value(p, depth-1)
	}
	b.entry(table, &t, depth)
	b.c.byte(opCallIndirect)
	b.c.u32(b.typeIndex(t))
	b.c.u32(table)
}

// entry writes the index of an entry of a table: of one with a function of the type, if it can be, or any.
func (b *body) entry(table int, t *Type, depth int) {
	var right []int
	for i, f := range b.tables[table].contents {
		if f >= 0 && (t == nil || string(b.functions[f].typ.Params) == string(t.Params) && string(b.functions[f].typ.Results) == string(t.Results)) {
			right = append(right, i)
		}
	}
	switch {
	case len(right) > 0 && !b.oneIn(8):
		b.c.i32(pick(b.random, right))
	case b.oneIn(8):
		b.value(I32, depth-1)
	default:
		b.c.i32(b.below(b.tables[table].min + 1))
	}
}
