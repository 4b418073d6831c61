package binary

// Limits of what a component may hold. The largest real ones at hand have 30 MB, 7,000 definitions and fields, and are nested 4 deep.
const (
	MaxComponent = 256 << 20 // bytes of the file

	// maxItems bounds all definitions, declarations, fields, labels, arguments and names of a file together, those of nested
	// components included. Some take a byte or two to write and 200 bytes of memory, and as much again when they are validated.
	maxItems = 1 << 18
	// maxDepth is how deep components may be nested, and types.
	maxDepth = 100
	maxName  = 16 << 10 // bytes; mangled names of C++ are long

	maxParams  = 1000 // of one function
	maxFields  = 10_000
	maxOptions = 10
)
