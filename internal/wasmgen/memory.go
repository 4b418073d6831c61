package wasmgen

// access is an instruction that reads or writes memory.
type access struct {
	op    byte
	align int // logarithm, at most
}

var (
	loads = map[byte][]access{
		I32: {{0x28, 2}, {0x2c, 0}, {0x2d, 0}, {0x2e, 1}, {0x2f, 1}},
		I64: {{0x29, 3}, {0x30, 0}, {0x31, 0}, {0x32, 1}, {0x33, 1}, {0x34, 2}, {0x35, 2}},
		F32: {{0x2a, 2}},
		F64: {{0x2b, 3}},
	}
	stores = map[byte][]access{
		I32: {{0x36, 2}, {0x3a, 0}, {0x3b, 1}},
		I64: {{0x37, 3}, {0x3c, 0}, {0x3d, 1}, {0x3e, 2}},
		F32: {{0x38, 2}},
		F64: {{0x39, 3}},
	}
)

// address writes an address; most often there are some bytes of memory at it.
func (b *body) address(depth int) {
	size := b.memory.min << 16
	switch {
	case size == 0 || b.oneIn(25):
		b.value(I32, depth-1)
	case b.oneIn(3):
		b.c.i32(b.below(min(size, 600)))
	case b.oneIn(3):
		edge := b.between(1, b.memory.min) << 16
		b.c.i32(edge - pick(b.random, []int{1, 2, 4, 8, 16, 17, 100}))
	default:
		b.value(I32, depth-1)
		b.c.i32(pick(b.random, []int{0xff, 0xfff, 0xffff}))
		b.c.byte(opI32And)
	}
}

func (b *body) memoryArg(align int) {
	b.c.u32(b.between(0, align))
	b.c.u32(pick(b.random, []int{0, 0, 0, 0, 1, 3, 16, 255}))
}

func (b *body) store(depth int) {
	if b.memory == nil {
		return
	}
	t := pick(b.random, numbers)
	b.address(depth)
	b.value(t, depth)
	if t == V128 {
		b.c.byte(opVector, vectorStore)
		b.memoryArg(4)
		return
	}
	a := pick(b.random, stores[t])
	b.c.byte(a.op)
	b.memoryArg(a.align)
}

func (b *body) load(t byte, depth int) bool {
	if b.memory == nil || t == FuncRef || t == ExternRef {
		return false
	}
	b.address(depth)
	if t == V128 {
		b.c.byte(opVector, vectorLoad)
		b.memoryArg(4)
		return true
	}
	a := pick(b.random, loads[t])
	b.c.byte(a.op)
	b.memoryArg(a.align)
	b.number(t)
	return true
}

// length writes how much is moved.
func (b *body) length(depth int) {
	switch {
	case b.oneIn(12):
		b.value(I32, depth-1)
	case b.oneIn(4):
		b.c.i32(pick(b.random, []int{1000, 4096, 5000, 65536}))
	default:
		b.c.i32(b.below(40))
	}
}

// changeMemory fills, copies, grows, or uses data segments.
func (b *body) changeMemory(depth int) {
	if b.memory == nil || b.oneIn(4) {
		if len(b.data) > 0 && !b.calm {
			b.c.bulk(bulkDataDrop, b.below(len(b.data)))
		}
		return
	}
	switch b.below(4) {
	case 0:
		b.address(depth)
		b.value(I32, depth-1)
		b.length(depth)
		b.c.bulk(bulkMemoryFill, 0)
	case 1:
		b.address(depth)
		b.address(depth)
		b.length(depth)
		b.c.bulk(bulkMemoryCopy, 0, 0)
	case 2:
		if len(b.data) > 0 {
			i := b.below(len(b.data))
			b.address(depth)
			// An active segment is empty once it has been applied. The engine forgets that, so nothing but nothing is copied from it.
			n, from := 0, 0
			if b.data[i].passive {
				n = b.below(len(b.data[i].bytes) + 1)
				from = b.below(len(b.data[i].bytes) - n + 1)
				if b.oneIn(10) {
					n += 5
				}
			}
			b.c.i32(from)
			b.c.i32(n)
			b.c.bulk(bulkMemoryInit, i, 0)
		}
	case 3:
		b.c.i32(pick(b.random, []int{0, 1, 1, 2, 3}))
		b.c.byte(opMemoryGrow, 0, opDrop)
	}
}

// changeTable sets, fills, copies, or uses element segments.
func (b *body) changeTable(depth int) {
	table, ok := b.changeable(0)
	if !ok || b.oneIn(6) {
		if len(b.elements) > 0 && !b.calm {
			b.c.bulk(bulkElemDrop, b.below(len(b.elements)))
		}
		return
	}
	t := &b.tables[table]
	switch b.below(4) {
	case 0, 1:
		b.entry(table, nil, depth)
		b.value(t.element, depth)
		b.c.op(opTableSet, table)
	case 2:
		if other, ok := b.changeable(t.element); ok && b.oneIn(2) {
			n := b.below(min(t.min, b.tables[other].min) + 1)
			b.c.i32(b.below(t.min - n + 1))
			b.c.i32(b.below(b.tables[other].min - n + 1))
			b.c.i32(n)
			b.c.bulk(bulkTableCopy, table, other)
			return
		}
		n := b.below(t.min + 1)
		b.c.i32(b.below(t.min - n + 1))
		b.value(t.element, depth)
		b.c.i32(n)
		b.c.bulk(bulkTableFill, table)
	case 3:
		if len(b.elements) > 0 && t.element == FuncRef {
			i := b.below(len(b.elements))
			n := b.below(min(t.min, len(b.elements[i].functions)) + 1)
			b.c.i32(b.below(t.min - n + 1))
			b.c.i32(0)
			b.c.i32(n)
			b.c.bulk(bulkTableInit, i, table)
		}
	}
}
