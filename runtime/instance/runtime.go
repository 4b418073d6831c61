package instance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// Limits bounds what guests may take.
type Limits struct {
	Memory uint64 // bytes of linear memory of one instance
	Budget uint64 // bytes that all live instances may take together, of linear memory and of Go's heap; 0 is unbounded. Growth beyond it makes memory.grow answer -1.
}

// features is what guests may use: WebAssembly 2.0, and the one proposal beyond it that compilers make use of without being asked to. Tail
// calls are for what the weaving adds; it takes none from guests.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesTailCall

// maxMemory is what a 32-bit address reaches.
const maxMemory = 1 << 32

// usablePages is a page less: code that wazero compiles reads the size of a memory as a number of 32 bits, and takes one of 4 GiB for empty.
const usablePages = maxMemory/pageSize - 1

// Runtime compiles modules and holds what their instances share: the engine, the functions of the host, slots and budget.
// It may be used from several goroutines at once.
type Runtime struct {
	limits    Limits
	engine    wazero.Runtime
	config    wazero.ModuleConfig // what the configuration of every instance starts from
	wasi      preview1
	budget    budget
	turns     turns
	host      api.Module  // what woven modules import
	check     weave.Check // how they are woven
	ticker    *ticker     // nil with fuel
	code      code        // nil: modules are compiled, and the code is not kept
	pagemap   pagemap
	snapshots bool          // may be asked for
	kept      atomic.Uint64 // bytes of memory that idle slots have
	resets    resetCounters

	mu     sync.Mutex // guards stocks
	stocks map[*stock]struct{}
}

// NewRuntime returns a Runtime; Close frees it.
func NewRuntime(ctx context.Context, l Limits) (*Runtime, error) { return newRuntime(ctx, l, nil) }

func newRuntime(ctx context.Context, l Limits, code code) (*Runtime, error) {
	if l.Memory < pageSize || l.Memory > maxMemory {
		return nil, fmt.Errorf("memory limit of %d bytes: must be from 64Ki to 4Gi: set MAYFLY_MEMORY to, for example, 64Mi", l.Memory)
	}
	l.Memory = min(l.Memory/pageSize, usablePages) * pageSize
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(features).
		WithMemoryLimitPages(uint32(l.Memory / pageSize)).
		WithDebugInfoEnabled(false) // DWARF sections do not survive the weaving, and would stay in memory
	if code != nil {
		config = code.configure(config)
	}
	r := &Runtime{
		limits: l,
		engine: wazero.NewRuntimeWithConfig(ctx, config),
		code:   code,
		config: wazero.NewModuleConfig().WithName("").WithStartFunctions().WithSysWalltime().WithSysNanotime().
			WithRandSource(rand.Reader), // else wazero seeds a generator for each instance
		pagemap: openPagemap(),
		stocks:  map[*stock]struct{}{},
		turns:   newTurns(),
	}
	r.budget.limit.Store(l.Budget)
	r.budget.reclaim = r.Trim
	if err := r.exportYield(ctx); err != nil {
		_ = r.Close(ctx)
		return nil, fmt.Errorf("make the functions of the host: %w", err)
	}
	if r.ticker = newTicker(r.host, r.host.ExportedGlobal(weave.TickName).(api.MutableGlobal)); r.ticker != nil {
		r.check = weave.Tick
	}
	return r, nil
}

// instantiate makes an instance of a compiled module.
func (r *Runtime) instantiate(ctx context.Context, compiled wazero.CompiledModule, config wazero.ModuleConfig) (core api.Module, err error) {
	defer noPanic(&err)
	core, err = r.engine.InstantiateModule(ctx, compiled, config)
	if err != nil || r.code == nil {
		return core, err
	}
	if err := r.code.prove(compiled, core); err != nil {
		return nil, errors.Join(err, core.Close(ctx))
	}
	return core, nil
}

// noPanic makes an error of a panic. wazero has panicked on modules that no toolchain makes. That is no reason to end here.
func noPanic(err *error) {
	if p := recover(); p != nil {
		*err = malformed(fmt.Errorf("the engine failed: %s", cut(fmt.Sprint(p), maxReason)))
	}
}

// SetBudget changes Limits.Budget for instances to come and for memory that grows: when it is known what the process needs beside them, or may
// use. Where there was none when a module was loaded, what its instances need of Go's heap has not been measured and is not counted.
func (r *Runtime) SetBudget(bytes uint64) { r.budget.limit.Store(bytes) }

// Close frees the compiled code and all slots. No instance may be live.
func (r *Runtime) Close(ctx context.Context) error {
	r.ticker.close()
	err := r.engine.Close(ctx)
	if r.code != nil {
		err = errors.Join(err, r.code.close(ctx))
	}
	for s := range r.stocks {
		s.close()
	}
	r.pagemap.close()
	return err
}
