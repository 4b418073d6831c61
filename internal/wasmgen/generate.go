package wasmgen

import "strconv"

// MaxPages is how many pages all memories of a group have together, at most, where each has a maximum.
const MaxPages = 24

// StartName is what a command exports to be run.
const StartName = "_start"

// PartName is what the modules of a group call one of them.
func PartName(part int) string { return "part" + strconv.Itoa(part) }

// Generate makes a group of one to four modules.
func Generate(seed []byte) *Group {
	r := newRandom(seed)
	g := newGenerator(r)
	for range r.between(1, 3) {
		g.group.Host = append(g.group.Host, g.newType(scalars, 4, 1))
	}
	n := pick(r, []int{1, 1, 2, 2, 3, 4})
	for range n {
		g.add(n == 1, false)
	}
	return g.group
}

// Command makes a module that imports nothing and exports _start, which does all that the module can do.
func Command(seed []byte) *Module {
	g := newGenerator(newRandom(seed))
	g.add(true, true)
	return &g.group.Modules[0]
}

// generator makes a group.
type generator struct {
	*random
	group *Group
	types []Type // that functions have: few, so that many functions have the same
	parts []*part
	pages int  // that memories may have yet
	calm  bool // nothing but memory and plain globals changes
}

var (
	scalars = []byte{I32, I64, F32, F64}
	numbers = []byte{I32, I32, I32, I64, I64, F32, F64, V128}
	values  = []byte{I32, I32, I32, I64, I64, F32, F64, V128, FuncRef, ExternRef}
)

func newGenerator(r *random) *generator {
	g := &generator{random: r, group: &Group{}, pages: MaxPages, calm: r.oneIn(5)}
	g.types = []Type{{}, {Params: []byte{I32}, Results: []byte{I32}}}
	for range r.between(2, 5) {
		g.types = append(g.types, g.newType(numbers, r.below(9), r.below(3)))
	}
	return g
}

// newType makes a type with at most as many parameters and results.
func (g *generator) newType(of []byte, params, results int) Type {
	var t Type
	for range g.between(0, params) {
		t.Params = append(t.Params, pick(g.random, of))
	}
	for range g.between(0, results) {
		t.Results = append(t.Results, pick(g.random, of))
	}
	return t
}

// add makes the next module.
func (g *generator) add(alone, command bool) {
	p := &part{generator: g, fuel: -1, alone: alone, start: -1}
	p.declareImports(command)
	p.declareOwn()
	p.declareSegments()
	p.writeBodies()
	p.addRunners()
	p.addObservers()
	p.addDirty()
	p.addSpin()
	if command {
		p.addCommand()
	}
	g.parts = append(g.parts, p)
	g.group.Modules = append(g.group.Modules, Module{Wasm: p.encode(), Imports: p.imports, Exports: p.exported, HasMemory: p.memory != nil,
		HasStart: p.start >= 0})
}

// part is a module in the making.
type part struct {
	*generator
	alone bool // it is the only one

	imports      []Import
	descriptions []code // of the imports
	types        []Type // the type section
	functions    []function
	tables       []table
	memory       *memory
	ownMemory    bool
	globals      []global
	fuel, depth  int // globals
	elements     []elements
	data         []data
	declared     []int // functions that references can be made to
	exported     []Export
	indices      []int // of what is exported
	start        int   // function, or -1
}

type function struct {
	typ      Type
	index    int // of the type, where it is a function of the module
	imported bool
	body     code
	locals   []byte
}

type table struct {
	element  byte
	min, max int // max -1: none
	imported bool
	private  bool  // no instruction changes it or reads entries, and nobody else sees it
	contents []int // functions as segments put them there, or -1
}

type memory struct {
	min, max int // max -1: none
}

type global struct {
	typ      byte
	mutable  bool
	imported bool
	init     code
	offset   int // of a constant that segments can begin at: its value; else -1
}

type elements struct {
	mode        byte // 0 active, 1 passive, 3 declarative; as the lower bits of the flags
	table       int
	offset      code
	expressions bool
	functions   []int // -1: null
}

type data struct {
	passive bool
	offset  code
	bytes   []byte
}

// typeIndex returns the index of a type, of those that are the same any.
func (p *part) typeIndex(t Type) int {
	var same []int
	for i, have := range p.types {
		if string(have.Params) == string(t.Params) && string(have.Results) == string(t.Results) {
			same = append(same, i)
		}
	}
	if len(same) == 0 || len(same) < 3 && p.oneIn(8) {
		p.types = append(p.types, t)
		return len(p.types) - 1
	}
	return pick(p.random, same)
}

func (p *part) export(name string, kind Kind, index int, role Role) {
	e := Export{Name: name, Kind: kind, Role: role}
	if kind == Function {
		e.Type = p.functions[index].typ
	}
	p.exported = append(p.exported, e)
	p.indices = append(p.indices, index)
}

func (p *part) ownGlobal(t byte, mutable bool, init code) int {
	init.byte(opEnd)
	p.globals = append(p.globals, global{typ: t, mutable: mutable, init: init, offset: -1})
	return len(p.globals) - 1
}

// ownFunction adds a function; its body follows.
func (p *part) ownFunction(t Type) int {
	p.functions = append(p.functions, function{typ: t, index: p.typeIndex(t)})
	return len(p.functions) - 1
}
