package instance

import (
	"context"
	"fmt"
)

// Load checks and compiles a module. An error wraps one of ErrEmpty, ErrNotWasm, ErrComponent, ErrMalformed, ErrImport, ErrMemory,
// ErrNoStart and ErrStartFunction.
func (r *Runtime) Load(ctx context.Context, wasm []byte) (*Module, error) {
	compiled, err := r.engine.CompileModule(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	m := &Module{runtime: r, compiled: compiled}
	for _, d := range compiled.ExportedMemories() {
		m.hasMemory, m.initialMemory = true, uint64(d.Min())*pageSize
	}
	return m, nil
}
