package weave

// Limits of what a module may hold. Engines allocate by counts that the module states, some once for each instance, so a file of a few
// bytes must not state large ones. What each is for: the largest real modules at hand have 30 MB, 80,000 functions and 31,000 data
// segments.
const (
	MaxModule = 256 << 20 // bytes of the file

	maxTypes     = 1 << 17
	maxImports   = 1 << 14
	maxFunctions = 1 << 19
	maxGlobals   = 1 << 14 // for each instance
	maxExports   = 1 << 17
	maxSegments  = 1 << 17 // of data, and of elements
	maxTables    = 16
	maxMemories  = 1 << 10 // that are announced; more than one is not supported

	maxParams         = 1000     // of one function, results too
	maxBody           = 7 << 20  // bytes of one function
	maxFunctionLocals = 50_000   // of one function
	maxLocals         = 32 << 20 // of all functions; a count of 4 billion takes 5 bytes to write
	maxName           = 1 << 10  // bytes of a function's name; longer ones are left out
	maxImportName     = 1 << 12  // bytes
	maxWoven          = 512 << 20

	// maxTableEntries bounds all tables of an instance together at its start, and all entries of element segments, which live as long.
	maxTableEntries = 1 << 20
	// tableGrowth is how far a table may grow beyond what it starts with. wazero sets no bound of its own.
	tableGrowth = 1 << 16
)
