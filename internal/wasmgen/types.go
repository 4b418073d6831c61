package wasmgen

// Value types, as WebAssembly encodes them.
const (
	I32       byte = 0x7f
	I64       byte = 0x7e
	F32       byte = 0x7d
	F64       byte = 0x7c
	V128      byte = 0x7b
	FuncRef   byte = 0x70
	ExternRef byte = 0x6f
)

// Kind is what an import or an export is, as WebAssembly encodes it.
type Kind byte

const (
	Function Kind = iota
	Table
	Memory
	Global
)

// Type is the type of a function.
type Type struct {
	Params, Results []byte
}

// Group is modules that are instantiated in order, each of which may import from those before it.
type Group struct {
	Host    []Type // the functions of the host
	Modules []Module
}

// Module is one of them.
type Module struct {
	Wasm    []byte
	Imports []Import // in the order of the file
	Exports []Export

	HasMemory bool // its own, or one that it imports
	HasStart  bool
}

// Host is Import.Part of a function of the host.
const Host = -1

// HostModule is what the modules call the host; each other they call [PartName].
const HostModule = "host"

// Import says what an import is.
type Import struct {
	Part int    // of the group, or Host
	Name string // that the part exports it under; of a function of the host "0", "1" and so on
	Kind Kind
}

// Role is what an exported function is for.
type Role int

const (
	Inner   Role = iota // for other modules: it may use up fuel that nobody gave it
	Run                 // does something and comes to an end
	Observe             // tells something of the state and changes nothing
	Dirty               // writes to all memory, globals and tables that it can reach; takes what to write
	Spin                // writes to memory and does not end
)

// Export is something that a module exports.
type Export struct {
	Name string
	Kind Kind
	Type Type // of a function
	Role Role // of a function
}

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
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
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
	opI32Eqz       = 0x45
	opI32LtU       = 0x49
	opI32GeU       = 0x4f
	opF32Eq        = 0x5b
	opF64Eq        = 0x61
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32And       = 0x71
	opI32Or        = 0x72
	opI64Or        = 0x84
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opBulk         = 0xfc
	opVector       = 0xfd

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

	vectorLoad  = 0
	vectorStore = 11
	vectorConst = 12

	blockEmpty = 0x40
)
