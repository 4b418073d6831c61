package instance

import (
	"context"
	"sync"

	"github.com/tetratelabs/wazero"
)

// Module is a compiled module. It may be used from several goroutines at once.
type Module struct {
	runtime   *Runtime
	compiled  wazero.CompiledModule
	hasMemory bool
	hasStart  bool
	demand
	seats       sync.Pool // of *seat
	main, start engines   // of _start, and of the start function
}

// close frees the module; Runtime.Close does too.
func (m *Module) close(ctx context.Context) error {
	m.stock.close()
	if m.compiled == nil {
		return nil
	}
	return m.compiled.Close(ctx)
}
