package weave

// The instructions that the weaving looks at or writes. WebAssembly 2.0, section 5.4.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opReturnCall   = 0x12
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Eq        = 0x46
	opI32LtU       = 0x49
	opI32GtU       = 0x4b
	opI32LeS       = 0x4c
	opI64LeU       = 0x58
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32Mul       = 0x6c
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64Shl       = 0x86
	opI32And       = 0x71
	opI32ShrU      = 0x76
	opI64ExtendU   = 0xad
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opBulk         = 0xfc
	opVector       = 0xfd
	opAtomic       = 0xfe

	bulkMemoryInit = 8
	bulkDataDrop   = 9
	bulkMemoryCopy = 10
	bulkMemoryFill = 11
	bulkTableInit  = 12
	bulkElemDrop   = 13
	bulkTableCopy  = 14
	bulkTableGrow  = 15
	bulkTableSize  = 16
	bulkTableFill  = 17

	vectorConst = 12
)

const (
	typeI32     = 0x7f
	typeF32     = 0x7d
	typeF64     = 0x7c
	typeV128    = 0x7b
	typeI64     = 0x7e
	typeEmpty   = 0x40 // of a block
	typeFunc    = 0x60
	typeFuncref = 0x70
	typeExtern  = 0x6f
)

// immediates is what follows an opcode.
type immediates byte

const (
	unknown      immediates = iota // not an instruction we know
	nothing                        // no immediates
	blockType                      // the type of a block
	number                         // a label, table, segment or memory: the engine checks it, the weaving moves none of them
	twoNumbers                     //
	labels                         // br_table
	function                       // an index that moves
	callIndirect                   // a type and a table
	local                          //
	global                         //
	valueTypes                     // select
	memoryArg                      // alignment and offset
	memoryIndex                    // of the one memory
	signed32                       //
	signed64                       //
	bytes4                         //
	bytes8                         //
	heapType                       // ref.null
	prefixed                       // a second opcode follows
)

var singleByte = func() (t [256]immediates) {
	set := func(from, to int, im immediates) {
		for op := from; op <= to; op++ {
			t[op] = im
		}
	}
	set(0x00, 0x01, nothing) // unreachable, nop
	set(0x02, 0x04, blockType)
	set(0x05, 0x05, nothing) // else
	set(0x0b, 0x0b, nothing) // end
	set(0x0c, 0x0d, number)  // br, br_if
	set(0x0e, 0x0e, labels)
	set(0x0f, 0x0f, nothing) // return
	set(0x10, 0x10, function)
	set(0x11, 0x11, callIndirect)
	set(0x1a, 0x1b, nothing) // drop, select
	set(0x1c, 0x1c, valueTypes)
	set(0x20, 0x22, local) // local.get, local.set, local.tee
	set(0x23, 0x24, global)
	set(0x25, 0x26, number) // table.get, table.set
	set(0x28, 0x3e, memoryArg)
	set(0x3f, 0x40, memoryIndex)
	set(0x41, 0x41, signed32)
	set(0x42, 0x42, signed64)
	set(0x43, 0x43, bytes4)
	set(0x44, 0x44, bytes8)
	set(0x45, 0xc4, nothing) // comparisons, arithmetic, conversions, sign extension
	set(0xd0, 0xd0, heapType)
	set(0xd1, 0xd1, nothing) // ref.is_null
	set(0xd2, 0xd2, function)
	set(0xfc, 0xfe, prefixed)
	return t
}()

// instruction is one instruction as it stands in a body.
type instruction struct {
	op     byte
	sub    uint32 // second opcode, after a prefix
	index  uint32 // of the function, local variable, global, type, label, element segment or source table, where it has one
	table  uint32 // that it calls through, or the one of the instructions with prefix 0xfc that changes or is measured
	params bool   // the block takes values from the stack
}

// instruction reads one instruction. It checks the indices that the weaving could give another meaning, and no others.
func (m *Module) instruction(r *reader) instruction {
	at := r.pos
	in := instruction{op: r.byte()}
	switch singleByte[in.op] {
	case nothing:
	case blockType:
		in.params = m.blockType(r)
	case number:
		in.index = r.u32()
	case labels:
		for n := r.count("labels", maxBody) + 1; n > 0 && r.err == nil; n-- {
			r.u32()
		}
	case function:
		in.index = uint32(r.index("function", len(m.functions)))
	case callIndirect:
		in.index = uint32(r.index("type", len(m.types)))
		in.table = r.u32()
	case local:
		in.index = r.u32()
	case global:
		in.index = uint32(r.index("global", len(m.globals)))
	case valueTypes:
		r.bytes(uint32(r.count("types", maxParams)))
	case memoryArg:
		m.memoryArg(r)
	case memoryIndex:
		m.memoryIndex(r)
	case signed32:
		r.skipSigned(32)
	case signed64:
		r.skipSigned(64)
	case bytes4:
		r.bytes(4)
	case bytes8:
		r.bytes(8)
	case heapType:
		m.heapType(r)
	case prefixed:
		in.sub = r.u32()
		switch in.op {
		case opBulk:
			m.bulk(r, &in)
		case opVector:
			m.vector(r, in.sub)
		case opAtomic:
			m.atomic(r, in.sub)
		}
	default:
		r.pos = at
		r.fail("instruction %#02x: %s", in.op, proposal(in.op))
	}
	return in
}

// bulk reads the immediates of the instructions with prefix 0xfc.
func (m *Module) bulk(r *reader, in *instruction) {
	switch sub := in.sub; {
	case sub < bulkMemoryInit: // saturating conversions
	case sub == bulkMemoryInit:
		m.namesData = true
		in.index = r.u32()
		m.memoryIndex(r)
	case sub == bulkMemoryCopy:
		m.memoryIndex(r)
		m.memoryIndex(r)
	case sub == bulkMemoryFill:
		m.memoryIndex(r)
	case sub == bulkTableInit: // the segment stands before the table
		in.index = r.u32()
		in.table = r.u32()
	case sub == bulkTableCopy: // the source stands behind the destination
		in.table = r.u32()
		in.index = r.u32()
	case sub == bulkDataDrop:
		m.namesData = true
		r.u32()
	case sub == bulkElemDrop:
		in.index = r.u32()
	case sub <= bulkTableFill: // table.grow, table.size, table.fill
		in.table = r.u32()
	default:
		r.fail("instruction 0xfc %d: not known", sub)
	}
}

// vector reads the immediates of the instructions with prefix 0xfd.
func (m *Module) vector(r *reader, sub uint32) {
	switch {
	case sub <= 11, sub == 92, sub == 93: // loads and stores
		m.memoryArg(r)
	case sub == vectorConst, sub == 13: // v128.const, i8x16.shuffle
		r.bytes(16)
	case sub >= 21 && sub <= 34: // lanes
		r.byte()
	case sub >= 84 && sub <= 91: // loads and stores of a lane
		m.memoryArg(r)
		r.byte()
	case sub <= 0x113:
	default:
		r.fail("instruction 0xfd %d: not known", sub)
	}
}

// atomic reads the immediates of the instructions with prefix 0xfe.
func (m *Module) atomic(r *reader, sub uint32) {
	switch {
	case sub == 3: // atomic.fence
		r.byte()
	case sub <= 2, sub >= 0x10 && sub <= 0x4e:
		m.memoryArg(r)
	default:
		r.fail("instruction 0xfe %d: not known", sub)
	}
}

// blockType reads the type of a block and reports whether it has parameters.
func (m *Module) blockType(r *reader) bool {
	if r.more() {
		if c := r.b[r.pos]; c == typeEmpty || isValueType(c) {
			r.pos++
			return false
		}
	}
	t := r.index("type", len(m.types))
	return r.err == nil && len(m.types[t].Params) > 0
}

func (m *Module) memoryArg(r *reader) {
	if align := r.u32(); align >= 32 {
		r.fail("alignment %d: at most 2^31; only one memory is supported", align)
	}
	r.u32()
}

func (m *Module) memoryIndex(r *reader) {
	if i := r.byte(); i != 0 {
		r.fail("memory %d: only one memory is supported", i)
	}
}

func (m *Module) heapType(r *reader) {
	if t := r.byte(); t != typeFuncref && t != typeExtern {
		r.fail("reference type %#02x: not supported", t)
	}
}

func isValueType(t byte) bool {
	return t >= 0x7b && t <= 0x7f || t == typeFuncref || t == typeExtern
}

// proposal says what an instruction that is not supported belongs to.
func proposal(op byte) string {
	switch op {
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f:
		return "exceptions are not supported: build without them (-fno-exceptions, panic=abort)"
	case opReturnCall, 0x13:
		return "tail calls are not supported: build without them (-mno-tail-call)"
	case 0x14, 0x15, 0xd3, 0xd4, 0xd5, 0xd6:
		return "typed function references are not supported"
	case 0xfb:
		return "garbage collected types are not supported"
	}
	return "not known"
}
