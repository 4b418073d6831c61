package wasmgen

// declareSegments chooses the segments.
func (p *part) declareSegments() {
	for range p.below(4) {
		p.declareElements()
	}
	if p.oneIn(3) {
		all := elements{mode: 3}
		for f := range p.functions {
			all.functions = append(all.functions, f)
			p.declared = append(p.declared, f)
		}
		p.elements = append(p.elements, all)
	}
	for range p.below(5) {
		d := data{passive: p.memory == nil || p.oneIn(3), bytes: make([]byte, pick(p.random, []int{0, 1, 3, 16, 16, 100, 4000}))}
		for i := range d.bytes {
			d.bytes[i] = byte(p.below(256))
		}
		if !d.passive {
			d.offset = p.offset(p.memory.min<<16, len(d.bytes))
		}
		p.data = append(p.data, d)
	}
}

func (p *part) declareElements() {
	e := elements{mode: pick(p.random, []byte{0, 0, 0, 1}), expressions: p.oneIn(3)}
	var tables []int
	for i, t := range p.tables {
		if t.element == FuncRef {
			tables = append(tables, i)
		}
	}
	if len(tables) == 0 {
		e.mode = 1
	} else {
		e.table = pick(p.random, tables)
	}
	most := 12
	if e.mode == 0 {
		most = p.tables[e.table].min
	}
	for range p.between(0, most) {
		f := p.below(len(p.functions))
		if e.expressions && p.oneIn(5) {
			f = -1
		} else {
			p.declared = append(p.declared, f)
		}
		e.functions = append(e.functions, f)
	}
	if e.mode == 0 {
		e.offset = p.offset(most, len(e.functions))
		if at, ok := constantOffset(e.offset); ok && at+len(e.functions) <= most {
			if contents := p.tables[e.table].contents; contents != nil {
				copy(contents[at:], e.functions)
			}
		}
	}
	p.elements = append(p.elements, e)
}

// offset makes where a segment of n begins: most often so that it fits a space.
func (p *part) offset(space, n int) code {
	at := p.between(0, max(space-n, 0))
	switch {
	case p.oneIn(12) && n > 0 && space > 0:
		at = space - n + 1 + p.below(3)
		if p.oneIn(3) {
			at = -1
		}
	case p.oneIn(4):
		at = max(space-n, 0)
	}
	var c code
	var globals []int
	for i, g := range p.globals {
		if g.imported && !g.mutable && g.typ == I32 && g.offset >= 0 && (g.offset+n <= space || p.oneIn(8)) {
			globals = append(globals, i)
		}
	}
	switch {
	case len(globals) > 0 && p.oneIn(2):
		c.op(opGlobalGet, pick(p.random, globals))
	case p.oneIn(8):
		add := p.below(1 << 16)
		c.i32(at - add)
		c.i32(add)
		c.byte(opI32Add)
	default:
		c.i32(at)
	}
	c.byte(opEnd)
	return c
}

// constantOffset returns the operand of an i32.const.
func constantOffset(c code) (int, bool) {
	if c[0] != opI32Const {
		return 0, false
	}
	v, shift := 0, 0
	for i, b := range c[1:] {
		v |= int(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			return v, v >= 0 && b&0x40 == 0 && c[i+2] == opEnd
		}
	}
	return 0, false
}
