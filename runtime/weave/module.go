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

// Import is something that the module wants from others.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         *Type // of a function
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
	Min    uint32
	Max    uint32
	HasMax bool
	Shared bool
}

// Module is a module taken apart. It refers to the bytes it was read from.
type Module struct {
	Imports []Import
	Memory  *Limits // the module's own; nil when it has none

	types      []Type
	functions  []int // the type of each function, the imported ones first
	imported   int   // how many of them are imported
	tables     []table
	entries    int // of tables at the start and of element segments, together
	globals    int // all of them
	ownGlobals int // those that are not imported
	exports    []export
	start      int            // the start function, or -1
	names      map[int]string // of functions, for stack traces
	sections   [lastSection + 1]*reader
	measure    measure
}

type table struct {
	element byte
	limits  Limits
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

// HasStart reports whether the module has a start function, which is to run before all others.
func (m *Module) HasStart() bool { return m.start >= 0 }
