package weave

import "bytes"

// Kind is what an import or an export is.
type Kind byte

const (
	Function Kind = iota
	Table
	Memory
	Global
	tag
)

func (k Kind) String() string {
	switch k {
	case Function:
		return "function"
	case Table:
		return "table"
	case Memory:
		return "memory"
	case Global:
		return "global"
	}
	return "tag"
}

// Extern is what an import or an export is, with its type; which of the fields holds that is told by Kind.
type Extern struct {
	Kind   Kind
	Type   *Type
	Table  TableType
	Memory Limits
	Global GlobalType
}

// Import is something that the module wants from others.
type Import struct {
	Module, Name string
	Extern
	description []byte // the kind and the type, as the file has them
}

// Export is something that the module gives to others.
type Export struct {
	Name  string
	Index int // among all that the module has of the kind, the imported ones first
	Extern
}

// Type is the type of a function. Value types are encoded as WebAssembly encodes them.
type Type struct {
	Params, Results []byte
}

// Equal reports whether two types are the same.
func (t *Type) Equal(o *Type) bool {
	return bytes.Equal(t.Params, o.Params) && bytes.Equal(t.Results, o.Results)
}

// Limits are the sizes of a memory in pages of 64 KiB, or of a table in entries.
type Limits struct {
	Min    uint64
	Max    uint64
	HasMax bool
	Shared bool
	Is64   bool // addresses have 64 bits
}

// TableType is the type of a table. Element is a value type.
type TableType struct {
	Element byte
	Limits  Limits
}

// GlobalType is the type of a global.
type GlobalType struct {
	Type    byte
	Mutable bool
}

// Module is a module taken apart. It refers to the bytes it was read from.
type Module struct {
	Imports []Import
	Memory  *Limits // the module's own; nil when it has none
	Name    string  // what stack traces call it; empty: nothing
	Canary  int64   // what its export CanaryName returns
	Check   Check

	types           []Type
	functions       []int // the type of each function, the imported ones first
	imported        int   // how many of them are imported
	tables          []TableType
	ownTables       int          // those that are not imported, the last ones
	memories        []Limits     // one at most
	entries         int          // of tables at the start and of element segments, together
	segments        int          // of data
	taken           int          // of them, the first ones, as far as they are active: they stay out
	outlined        byte         // what stateName says of the code
	surveyed        bool         // and it is known
	namesData       bool         // an instruction that was read names one
	globals         []GlobalType // the imported ones first
	importedGlobals int
	inits           []int // where in their section the module's own globals have what they begin as
	exports         []export
	unsupported     *Error            // something that can be read, but not be woven
	links           []Link            // of the imports; nil: they stay as they are
	kept            map[string]bool   // exports; nil: all
	canonical       []int             // of each type the first that is the same
	dispatch        *dispatch         // set by Weave
	inPieces        map[uint32]uint32 // functions that do memory.init of large segments; set by Weave
	start           int               // the start function, or -1
	names           map[int]string    // of functions, for stack traces
	sections        [lastSection + 1]*reader
	measure         measure
}

type export struct {
	name  string
	kind  Kind
	index int
}

// ExportedFunction returns the type of an exported function, nil when there is none of that name.
func (m *Module) ExportedFunction(name string) *Type {
	for _, e := range m.exports {
		if e.name == name && e.kind == Function {
			return &m.types[m.functions[e.index]]
		}
	}
	return nil
}

// Exports returns what the module exports, in the order of the file.
func (m *Module) Exports() []Export {
	all := make([]Export, len(m.exports))
	for i, e := range m.exports {
		all[i] = Export{Name: e.name, Index: e.index, Extern: Extern{Kind: e.kind}}
		switch x := &all[i].Extern; e.kind {
		case Function:
			x.Type = &m.types[m.functions[e.index]]
		case Table:
			x.Table = m.tables[e.index]
		case Memory:
			x.Memory = m.memories[e.index]
		case Global:
			x.Global = m.globals[e.index]
		}
	}
	return all
}

// Items is how many things an instance of the module makes an engine keep: entries of tables, globals, imports, segments.
func (m *Module) Items() int {
	return m.entries + len(m.globals) + len(m.Imports) + m.segments
}

// HasStart reports whether the module has a start function, which is to run before all others.
func (m *Module) HasStart() bool { return m.start >= 0 }
