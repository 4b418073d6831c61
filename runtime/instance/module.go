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
	seats         sync.Pool // of *seat
}

// InitialMemory is the linear memory that every instance starts with, in bytes.
func (m *Module) InitialMemory() uint64 { return m.initialMemory }
