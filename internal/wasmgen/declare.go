package wasmgen

import "strconv"

// declareImports chooses what the module imports: of the host, and of the modules before it.
func (p *part) declareImports(command bool) {
	p.types = append(p.types, p.generator.types...)
	if command {
		return
	}
	for i, t := range p.group.Host {
		if p.oneIn(2) {
			p.imports = append(p.imports, Import{Part: Host, Name: strconv.Itoa(i), Kind: Function})
			p.importFunction(t)
		}
	}
	for number, other := range p.parts {
		for i, e := range other.exported {
			index := other.indices[i]
			wanted := false
			switch e.Kind {
			case Function:
				wanted = e.Role == Inner && p.oneIn(2)
			case Memory:
				wanted = p.memory == nil && p.oneIn(2)
			case Table, Global:
				wanted = p.oneIn(2)
			}
			if !wanted {
				continue
			}
			p.imports = append(p.imports, Import{Part: number, Name: e.Name, Kind: e.Kind})
			switch e.Kind {
			case Function:
				p.importFunction(e.Type)
			case Table:
				p.importTable(other.tables[index])
			case Memory:
				p.importMemory(*other.memory)
			case Global:
				p.importGlobal(other.globals[index])
			}
		}
	}
}

func (p *part) describe(kind Kind, b code) {
	p.descriptions = append(p.descriptions, append(code{byte(kind)}, b...))
}

func (p *part) importFunction(t Type) {
	var b code
	b.u32(p.typeIndex(t))
	p.describe(Function, b)
	p.functions = append(p.functions, function{typ: t, imported: true})
}

// limits appends the limits that something is imported with: its own, or lower ones.
func (p *part) limits(b *code, min, max int) int {
	if p.oneIn(3) {
		min = p.between(0, min)
	}
	appendLimits(b, min, max)
	return min
}

func appendLimits(b *code, min, max int) {
	if max < 0 {
		b.byte(0)
		b.u32(min)
		return
	}
	b.byte(1)
	b.u32(min)
	b.u32(max)
}

func (p *part) importTable(t table) {
	b := code{t.element}
	min := p.limits(&b, t.min, t.max)
	p.describe(Table, b)
	p.tables = append(p.tables, table{element: t.element, min: min, max: t.max, imported: true})
}

func (p *part) importMemory(m memory) {
	var b code
	m.min = p.limits(&b, m.min, m.max)
	p.describe(Memory, b)
	p.memory = &m
}

func (p *part) importGlobal(g global) {
	b := code{g.typ, 0}
	if g.mutable {
		b[1] = 1
	}
	p.describe(Global, b)
	g.imported, g.init = true, nil
	p.globals = append(p.globals, g)
}

// declareOwn chooses what the module has of its own: types, tables, memory, globals, and functions without their bodies.
func (p *part) declareOwn() {
	for range p.between(0, 2) {
		t := table{element: FuncRef, min: p.below(12), max: -1}
		if p.oneIn(8) {
			t.element = ExternRef
		}
		if p.oneIn(4) {
			t.min = p.below(300)
		}
		if p.oneIn(2) {
			t.max = t.min + p.below(6)
		}
		t.private = p.calm || p.oneIn(2)
		if t.element == FuncRef {
			t.contents = make([]int, t.min)
			for i := range t.contents {
				t.contents[i] = -1
			}
		}
		p.tables = append(p.tables, t)
		if i := len(p.tables) - 1; !t.private && p.oneIn(2) {
			p.export("table"+strconv.Itoa(i), Table, i, 0)
		}
	}
	if p.memory == nil && !p.oneIn(6) {
		p.declareMemory()
	}
	for i := range p.between(1, 5) {
		p.declareGlobal(i)
	}
	p.fuel = p.ownGlobal(I32, true, code{opI32Const, 0})
	p.depth = p.ownGlobal(I32, true, code{opI32Const, 0})
	for range p.between(2, 7) {
		f := p.ownFunction(pick(p.random, p.generator.types))
		if p.oneIn(2) {
			p.declared = append(p.declared, f)
			p.export("inner"+strconv.Itoa(f), Function, f, Inner)
		}
	}
}

func (p *part) declareMemory() {
	m := &memory{min: p.below(4), max: -1}
	if !p.alone || p.oneIn(2) {
		m.max = m.min + p.below(5)
		if p.pages < m.max {
			return
		}
		p.pages -= m.max
	}
	p.memory, p.ownMemory = m, true
	if !p.oneIn(4) {
		p.export("memory", Memory, 0, 0)
	}
}

func (p *part) declareGlobal(i int) {
	t, mutable := pick(p.random, values), !p.oneIn(3)
	if p.calm && (t == FuncRef || t == ExternRef) {
		mutable = false
	}
	var init code
	offset := -1
	switch from := p.constantGlobals(t); {
	case len(from) > 0 && p.oneIn(3):
		init.op(opGlobalGet, pick(p.random, from))
	case t == I32 && !mutable:
		offset = p.below(200)
		init.i32(offset)
	case t == FuncRef && len(p.functions) > 0 && p.oneIn(2): // imported ones
		f := p.below(len(p.functions))
		p.declared = append(p.declared, f)
		init.op(opRefFunc, f)
	default:
		init.constant(t, p.bits())
	}
	g := p.ownGlobal(t, mutable, init)
	p.globals[g].offset = offset
	if p.oneIn(2) {
		p.export("global"+strconv.Itoa(i), Global, g, 0)
	}
}

// constantGlobals returns the imported globals that another can begin as.
func (p *part) constantGlobals(t byte) (all []int) {
	for i, g := range p.globals {
		if g.imported && !g.mutable && g.typ == t {
			all = append(all, i)
		}
	}
	return all
}
