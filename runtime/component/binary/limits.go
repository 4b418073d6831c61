package binary

// Limits of what a component may hold. The largest real ones at hand have 30 MB, 3,000 definitions and are nested 4 deep.
const (
	MaxComponent = 256 << 20 // bytes of the file

	// maxItems bounds all definitions, declarations, fields, labels, arguments and names of a file together, those of nested
	// components included. None takes more than 200 bytes of memory, while many take one byte to write.
	maxItems = 1 << 20
	// maxDepth is how deep components may be nested, and types.
	maxDepth = 100
	maxName  = 16 << 10 // bytes; mangled names of C++ are long

	maxParams  = 1000 // of one function
	maxFields  = 10_000
	maxOptions = 10
)
