package weave

// Fine makes the module yield at almost every check, and cut almost every copy and fill into pieces.
func (m *Module) Fine() {
	m.measure = measure{fuel: 3, smallMove: 0, chunkBits: 4, memoryBits: 2, stretch: 4, seen: -1}
}

// Entries is how many entries its tables and element segments have.
func (m *Module) Entries() int { return m.entries }
