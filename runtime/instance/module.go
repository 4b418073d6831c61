package instance

import (
	"sync"

	"github.com/tetratelabs/wazero"
)

// Module is a compiled module. It may be used from several goroutines at once.
type Module struct {
	runtime       *Runtime
	compiled      wazero.CompiledModule
	hasMemory     bool
	initialMemory uint64
	heap          uint64 // what an instance needs of Go's heap, in bytes
	appetite      appetite
	seats         sync.Pool // of *seat
}

// Footprint is what an instance takes of memory from the start, in bytes: its linear memory, and its part of Go's heap.
func (m *Module) Footprint() uint64 { return m.initialMemory + m.heap }
