package wasmgen

import "strconv"

// addRunners adds functions that begin a call: with fuel.
func (p *part) addRunners() {
	inner := len(p.functions)
	for f := range inner {
		if f == p.start || p.functions[f].imported && p.oneIn(2) {
			continue
		}
		t := p.functions[f].typ
		p.runner("run"+strconv.Itoa(f), t, func(b *body) {
			for i := range t.Params {
				b.c.op(opLocalGet, i)
			}
			b.c.op(opCall, f)
		})
	}
	for i, table := range p.tables {
		if table.element != FuncRef {
			continue
		}
		for n, t := range p.generator.types {
			if !p.oneIn(2) {
				continue
			}
			through := Type{Params: append(append([]byte{}, t.Params...), I32), Results: t.Results}
			p.runner("through"+strconv.Itoa(i)+"as"+strconv.Itoa(n), through, func(b *body) {
				for i := range through.Params {
					b.c.op(opLocalGet, i)
				}
				b.c.byte(opCallIndirect)
				b.c.u32(p.typeIndex(t))
				b.c.u32(i)
			})
		}
	}
}

func (p *part) runner(name string, t Type, call func(b *body)) {
	f := p.ownFunction(t)
	p.export(name, Function, f, Run)
	b := p.newBody(f)
	b.fill()
	call(b)
	b.done(f)
}

func (p *part) observer(name string, params []byte, result byte, tell func(b *body)) {
	f := p.ownFunction(Type{Params: params, Results: []byte{result}})
	p.export(name, Function, f, Observe)
	b := p.newBody(f)
	tell(b)
	b.done(f)
}

// addObservers adds functions that tell what globals and tables hold.
func (p *part) addObservers() {
	for i, g := range p.globals {
		result := g.typ
		if g.typ == FuncRef || g.typ == ExternRef {
			result = I32
		}
		p.observer("see global"+strconv.Itoa(i), nil, result, func(b *body) {
			b.c.op(opGlobalGet, i)
			if result != g.typ {
				b.c.byte(opRefIsNull)
			}
		})
	}
	for i, t := range p.tables {
		p.observer("see size"+strconv.Itoa(i), nil, I32, func(b *body) { b.c.bulk(bulkTableSize, i) })
		if t.private {
			continue
		}
		p.observer("see null"+strconv.Itoa(i), []byte{I32}, I32, func(b *body) {
			b.c.op(opLocalGet, 0)
			b.c.bulk(bulkTableSize, i)
			b.c.byte(opI32GeU, opIf, I32)
			b.c.i32(-1)
			b.c.byte(opElse)
			b.c.op(opLocalGet, 0)
			b.c.op(opTableGet, i)
			b.c.byte(opRefIsNull, opEnd)
		})
	}
	if p.memory != nil {
		p.observer("see pages", nil, I32, func(b *body) { b.c.byte(opMemorySize, 0) })
	}
}

// addDirty adds the function that leaves its mark on all that it can reach.
func (p *part) addDirty() {
	f := p.ownFunction(Type{Params: []byte{I32}})
	p.export("dirty", Function, f, Dirty)
	b := p.newBody(f)
	if p.memory != nil {
		b.begin(opLoop, blockEmpty)
		b.c.i32(1)
		b.c.byte(opMemoryGrow, 0)
		b.c.i32(-1)
		b.c.byte(0x47) // i32.ne
		b.c.op(opBrIf, 0)
		b.end()
		b.c.i32(0)
		b.c.op(opLocalGet, 0)
		b.c.byte(opMemorySize, 0)
		b.c.i32(16)
		b.c.byte(0x74) // i32.shl
		b.c.bulk(bulkMemoryFill, 0)
	}
	for i, g := range p.globals {
		if !g.mutable {
			continue
		}
		switch g.typ {
		case I32:
			b.c.op(opLocalGet, 0)
		case I64:
			b.c.op(opLocalGet, 0)
			b.c.byte(0xad) // i64.extend_i32_u
		default:
			b.c.constant(g.typ, p.bits())
		}
		b.c.op(opGlobalSet, i)
	}
	for i, t := range p.tables {
		if t.private {
			continue
		}
		b.reference(t.element, 0)
		b.c.i32(3)
		b.c.bulk(bulkTableGrow, i)
		b.c.byte(opDrop)
		b.c.i32(0)
		b.c.constant(t.element, 0)
		b.c.bulk(bulkTableSize, i)
		b.c.bulk(bulkTableFill, i)
	}
	if !p.calm {
		for i := range p.data {
			b.c.bulk(bulkDataDrop, i)
		}
		for i := range p.elements {
			b.c.bulk(bulkElemDrop, i)
		}
	}
	b.done(f)
}

// addSpin adds the function that does not end.
func (p *part) addSpin() {
	f := p.ownFunction(Type{Params: []byte{I32}})
	p.export("spin", Function, f, Spin)
	b := p.newBody(f)
	b.begin(opLoop, blockEmpty)
	if p.memory != nil && p.memory.min > 0 {
		b.c.op(opLocalGet, 0)
		b.c.i32(p.memory.min<<16 - 1)
		b.c.byte(opI32And)
		b.c.op(opLocalGet, 0)
		b.c.byte(0x3a, 0, 0) // i32.store8
	}
	b.c.op(opLocalGet, 0)
	b.c.i32(4093)
	b.c.byte(opI32Add)
	b.c.op(opLocalSet, 0)
	b.addGlobal(p.depth, 1)
	b.c.op(opBr, 0)
	b.end()
	b.done(f)
}

// addCommand adds the function that a command is run by: it calls all that begin a call, one after the other. What globals hold in the end is
// written to memory.
func (p *part) addCommand() {
	calls := len(p.exported)
	f := p.ownFunction(Type{})
	p.export(StartName, Function, f, Run)
	b := p.newBody(f)
	for i := range calls {
		e := p.exported[i]
		if e.Kind != Function || e.Role != Run || p.oneIn(3) {
			continue
		}
		for _, t := range e.Type.Params {
			b.c.constant(t, uint64(p.below(12)))
		}
		b.c.op(opCall, p.indices[i])
		b.drop(len(e.Type.Results))
	}
	at := 0
	for i, g := range p.globals {
		if p.memory == nil || p.memory.min == 0 || len(stores[g.typ]) == 0 {
			continue
		}
		b.c.i32(at)
		b.c.op(opGlobalGet, i)
		b.c.byte(stores[g.typ][0].op, 0, 0)
		at += 8
	}
	b.done(f)
}
