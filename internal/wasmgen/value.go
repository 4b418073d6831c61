package wasmgen

// value writes something that leaves a value of a type.
func (b *body) value(t byte, depth int) {
	b.size++
	if depth <= 0 || b.size > maxSize || b.oneIn(4) {
		b.leaf(t)
		return
	}
	switch b.below(8) {
	case 0:
		b.leaf(t)
		return
	case 1:
		b.begin(opBlock, t)
		b.value(t, depth-1)
		if t != FuncRef && t != ExternRef {
			b.value(I32, depth-1)
			b.c.op(opBrIf, 0)
		}
		b.end()
		return
	case 2:
		b.value(I32, depth-1)
		b.begin(opIf, t)
		b.value(t, depth-1)
		b.c.byte(opElse)
		b.value(t, depth-1)
		b.end()
		return
	case 3:
		b.value(t, depth-1)
		b.value(t, depth-1)
		b.value(I32, depth-1)
		if t == FuncRef || t == ExternRef || b.oneIn(2) {
			b.c.byte(opSelectTyped, 1, t)
		} else {
			b.c.byte(opSelect)
		}
		return
	case 4:
		if b.called(t, depth) {
			return
		}
	case 5:
		if b.load(t, depth) {
			return
		}
	}
	b.operation(t, depth)
}

// leaf writes a constant or a variable.
func (b *body) leaf(t byte) {
	var locals, globals []int
	for l, have := range b.locals {
		if have == t {
			locals = append(locals, l)
		}
	}
	for g, have := range b.globals {
		if have.typ == t {
			globals = append(globals, g)
		}
	}
	switch {
	case len(locals) > 0 && b.oneIn(2):
		b.c.op(opLocalGet, pick(b.random, locals))
	case len(globals) > 0 && b.oneIn(2):
		b.c.op(opGlobalGet, pick(b.random, globals))
	case t == FuncRef && len(b.declared) > 0 && !b.oneIn(3):
		b.c.op(opRefFunc, pick(b.random, b.declared))
	default:
		b.c.constant(t, b.bits())
	}
}

// called writes a call that returns one value of the type.
func (b *body) called(t byte, depth int) bool {
	if b.oneIn(2) {
		if f, ok := b.callee(); ok && string(b.functions[f].typ.Results) == string(t) {
			b.call(f, depth)
			return true
		}
		return false
	}
	table, typ, ok := b.callable()
	if !ok || string(typ.Results) != string(t) || t == FuncRef || t == ExternRef {
		return false
	}
	b.deeper(func() { b.callThrough(table, typ, depth) }, t)
	return true
}

// operations are those of two operands of one type, and of one operand.
var (
	binaries = map[byte][2]byte{I32: {0x6a, 0x78}, I64: {0x7c, 0x8a}, F32: {0x92, 0x98}, F64: {0xa0, 0xa6}}
	unary    = map[byte][2]byte{I32: {0x67, 0x69}, I64: {0x79, 0x7b}, F32: {0x8b, 0x91}, F64: {0x99, 0x9f}}
	// comparisons make an i32 of two operands.
	comparisons = map[byte][2]byte{I32: {0x46, 0x4f}, I64: {0x51, 0x5a}, F32: {0x5b, 0x60}, F64: {0x61, 0x66}}
	// conversions make a value of one type of one of another.
	conversions = map[byte][]conversion{
		I32: {{I64, 0xa7, 0}, {F32, opBulk, 0}, {F32, opBulk, 1}, {F64, opBulk, 2}, {F64, opBulk, 3}, {F32, 0xbc, 0}, {I32, 0xc0, 0}, {I32, 0xc1, 0}, {F64, 0xaa, 0}, {I64, 0x50, 0}},
		I64: {{I32, 0xac, 0}, {I32, 0xad, 0}, {F32, opBulk, 4}, {F32, opBulk, 5}, {F64, opBulk, 6}, {F64, opBulk, 7}, {F64, 0xbd, 0}, {I64, 0xc2, 0}, {I64, 0xc4, 0}},
		F32: {{I32, 0xb2, 0}, {I32, 0xb3, 0}, {I64, 0xb4, 0}, {F64, 0xb6, 0}, {I32, 0xbe, 0}},
		F64: {{I32, 0xb7, 0}, {I64, 0xb9, 0}, {F32, 0xbb, 0}, {I64, 0xbf, 0}},
	}
)

type conversion struct {
	from, op byte
	sub      int
}

// operation writes an operation.
func (b *body) operation(t byte, depth int) {
	switch t {
	case FuncRef, ExternRef:
		b.reference(t, depth)
		return
	case V128:
		b.vector(depth)
		return
	case I32:
		if b.oneIn(3) {
			b.question(depth)
			return
		}
	}
	switch b.below(4) {
	case 0:
		ops := unary[t]
		b.value(t, depth-1)
		b.c.byte(byte(b.between(int(ops[0]), int(ops[1]))))
	case 1:
		c := pick(b.random, conversions[t])
		b.value(c.from, depth-1)
		b.c.byte(c.op)
		if c.op == opBulk {
			b.c.u32(c.sub)
		}
	default:
		b.binary(t, depth)
	}
	b.number(t)
}

func (b *body) binary(t byte, depth int) {
	ops := binaries[t]
	op := byte(b.between(int(ops[0]), int(ops[1])))
	b.value(t, depth-1)
	b.value(t, depth-1)
	if divides := t == I32 && op >= 0x6d && op <= 0x70 || t == I64 && op >= 0x7f && op <= 0x82; divides && !b.oneIn(12) {
		b.c.constant(t, 1) // not by zero; the quotient may be too large still
		if t == I32 {
			b.c.byte(opI32Or)
		} else {
			b.c.byte(opI64Or)
		}
	}
	b.c.byte(op)
}

// number makes a zero of a NaN, whose bits two engines may choose.
func (b *body) number(t byte) {
	if t != F32 && t != F64 {
		return
	}
	l := b.local(t)
	b.c.op(opLocalTee, l)
	b.c.constant(t, 0)
	b.c.op(opLocalGet, l)
	b.c.op(opLocalGet, l)
	if t == F32 {
		b.c.byte(opF32Eq)
	} else {
		b.c.byte(opF64Eq)
	}
	b.c.byte(opSelect)
}

// question writes an i32 that tells something.
func (b *body) question(depth int) {
	switch b.below(6) {
	case 0:
		if b.memory != nil {
			b.c.byte(opMemorySize, 0)
			return
		}
	case 1:
		if b.memory != nil {
			b.c.i32(pick(b.random, []int{0, 1, 1, 2, 1000, -1}))
			b.c.byte(opMemoryGrow, 0)
			return
		}
	case 2:
		if len(b.tables) > 0 {
			b.c.bulk(bulkTableSize, b.below(len(b.tables)))
			return
		}
	case 3:
		if table, ok := b.changeable(0); ok {
			b.value(b.tables[table].element, depth-1)
			b.c.i32(pick(b.random, []int{0, 1, 2, 5, -1}))
			b.c.bulk(bulkTableGrow, table)
			return
		}
	case 4:
		b.value(pick(b.random, []byte{FuncRef, ExternRef}), depth-1)
		b.c.byte(opRefIsNull)
		return
	}
	t := pick(b.random, scalars)
	b.value(t, depth-1)
	b.value(t, depth-1)
	ops := comparisons[t]
	b.c.byte(byte(b.between(int(ops[0]), int(ops[1]))))
}

// changeable chooses a table that instructions may change and read, with elements of the type; 0: of any.
func (b *body) changeable(element byte) (int, bool) {
	var all []int
	for i, t := range b.tables {
		if !t.private && (element == 0 || t.element == element) {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return pick(b.random, all), true
}

// reference writes a reference out of a table.
func (b *body) reference(t byte, depth int) {
	table, ok := b.changeable(t)
	if !ok {
		b.leaf(t)
		return
	}
	b.entry(table, nil, depth)
	b.c.op(opTableGet, table)
}

// vector writes an operation on vectors of integers.
func (b *body) vector(depth int) {
	op := func(sub int) {
		b.c.byte(opVector)
		b.c.u32(sub)
	}
	switch b.below(4) {
	case 0:
		b.value(I32, depth-1)
		op(pick(b.random, []int{15, 16, 17})) // splat
	case 1:
		b.value(I64, depth-1)
		op(18)
	case 2:
		b.value(V128, depth-1)
		op(pick(b.random, []int{77, 96, 97, 128, 129, 160, 161, 192, 193})) // not, abs, neg
	default:
		b.value(V128, depth-1)
		b.value(V128, depth-1)
		op(pick(b.random, []int{78, 80, 81, 35, 55, 110, 113, 142, 145, 149, 174, 177, 181, 206, 209, 213})) // logic, comparison, sums, products
	}
}
