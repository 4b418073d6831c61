package instance

import (
	"context"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// preview1 are the functions of WASI 0.1. They are made when the first module wants one: components have no use for them, and wazero
// compiles a way into Go for each.
type preview1 struct {
	mu        sync.Mutex // guards functions
	functions map[string]api.FunctionDefinition
}

// provide makes them, once.
func (p *preview1) provide(ctx context.Context, engine wazero.Runtime) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.functions != nil {
		return nil
	}
	b := engine.NewHostModuleBuilder(wasi.ModuleName)
	wasi.NewFunctionExporter().ExportFunctions(b)
	exportEnviron(b)
	m, err := b.Instantiate(ctx)
	if err != nil {
		return err
	}
	p.functions = m.ExportedFunctionDefinitions()
	return nil
}

// wanted reports whether a module imports anything of WASI 0.1.
func wanted(imports []weave.Import) bool {
	for i := range imports {
		if imports[i].Module == wasi.ModuleName {
			return true
		}
	}
	return false
}
