package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// startTimeout bounds the start function of a module that is being loaded.
const startTimeout = 5 * time.Second

// Load checks and compiles a module. An error wraps one of ErrEmpty, ErrNotWasm, ErrComponent, ErrMalformed, ErrImport, ErrMemory,
// ErrNoStart and ErrStartFunction, unless it is ours or ctx ended.
func (r *Runtime) Load(ctx context.Context, wasm []byte) (*Module, error) {
	m, err := r.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	if err := m.try(ctx); err != nil {
		_ = m.close(ctx)
		return nil, err
	}
	return m, nil
}

// Compile is Load but for what an instance of the module would show: nothing of it runs.
func (r *Runtime) Compile(ctx context.Context, wasm []byte) (*Module, error) {
	if err := checkPreamble(wasm); err != nil {
		return nil, err
	}
	read, err := weave.Read(wasm)
	if err != nil {
		return nil, malformed(err)
	}
	m := &Module{runtime: r, hasStart: read.HasStart()}
	if wanted(read.Imports) {
		if err := r.wasi.provide(ctx, r.engine); err != nil {
			return nil, fmt.Errorf("make the functions of the host: %w", err)
		}
	}
	if err := r.checkImports(read.Imports); err != nil {
		return nil, err
	}
	if err := m.checkMemory(read); err != nil {
		return nil, err
	}
	if err := checkStart(read); err != nil {
		return nil, err
	}
	if err := m.compile(ctx, read, wasm); err != nil {
		_ = m.close(ctx)
		return nil, err
	}
	return m, nil
}

// compile makes of what was read all that an instance needs.
func (m *Module) compile(ctx context.Context, read *weave.Module, wasm []byte) error {
	r := m.runtime
	digest, err := r.digest(wasm)
	if err != nil {
		return err
	}
	segments, n := read.Data(m.initialMemory, nil)
	if m.hasMemory {
		_, images, err := r.contents([]uint64{m.initialMemory}, []int{n}, func() (*images, error) {
			return newImages([][]weave.Segment{segments})
		})
		if err != nil {
			return err
		}
		m.stock = r.newStock(images)
	}
	m.compiled, err = r.compile(ctx, digest, func() ([]byte, error) {
		read.Check, read.Canary = r.check, codeKey(digest).canary()
		read.Keep(map[string]bool{startFunction: true, memoryName: true})
		read.TakeData(n)
		return woven(read)
	})
	return err
}

func woven(read *weave.Module) ([]byte, error) {
	b, err := read.Weave()
	if err != nil {
		return nil, malformed(err)
	}
	return b, nil
}

func malformed(err error) error {
	hint := "check that the file is whole and that the toolchain makes WebAssembly 2.0"
	var read *weave.Error
	switch {
	case !errors.As(err, &read):
	case read.Limit:
		hint = "the limit is fixed: build the module smaller"
	case read.Unsupported:
		hint = "build for WebAssembly 2.0, without what came after it"
	}
	return fmt.Errorf("%w: %w: %s", ErrMalformed, err, hint)
}

// checkPreamble looks at the first bytes: magic number, then version and layer.
func checkPreamble(wasm []byte) error {
	const magic = "\x00asm"
	switch {
	case len(wasm) == 0:
		return fmt.Errorf("%w: build or copy the module again", ErrEmpty)
	case len(wasm) > weave.MaxModule:
		return fmt.Errorf("%w: %s, at most %s: strip debug information and data that can be a file",
			ErrMalformed, inUnits(uint64(len(wasm))), inUnits(weave.MaxModule))
	case !bytes.HasPrefix(wasm, []byte(magic)):
		return fmt.Errorf(`%w: it begins with %q, a module with "\x00asm": name the .wasm file that the toolchain made`,
			ErrNotWasm, wasm[:min(len(wasm), 4)])
	case bytes.HasPrefix(wasm, []byte(magic+"\x0d\x00\x01\x00")):
		return fmt.Errorf("%w: package component loads these: give the core module for WASI 0.1 here",
			ErrComponent)
	case len(wasm) < 8:
		return fmt.Errorf("%w: the file ends after %d bytes: copy it again", ErrMalformed, len(wasm))
	case !bytes.HasPrefix(wasm, []byte(magic+"\x01\x00\x00\x00")):
		return fmt.Errorf("%w: version %x: only version 01000000 is known: build with a released toolchain", ErrMalformed, wasm[4:8])
	}
	return nil
}

func (m *Module) checkMemory(read *weave.Module) error {
	if read.Memory == nil {
		return nil
	}
	if read.Memory.Shared {
		return fmt.Errorf("%w: it has a memory that threads would share, and threads are not supported: build without them", ErrMalformed)
	}
	m.hasMemory = true
	m.initialMemory = read.Memory.Min * pageSize
	return m.runtime.checkInitial(m.initialMemory)
}

// checkInitial refuses what starts with more linear memory than an instance may have.
func (r *Runtime) checkInitial(memory uint64) error {
	if limit := r.limits.Memory; memory > limit {
		return fmt.Errorf("%w: it starts with %s of linear memory, an instance may have %s: set MAYFLY_MEMORY=%s or more, or link with less",
			ErrMemory, inUnits(memory), inUnits(limit), inUnits(memory))
	}
	if limit := r.limits.Budget; limit > 0 && memory > limit {
		return fmt.Errorf("%w: it starts with %s of linear memory, all instances together may have %s: raise the container's memory limit",
			ErrMemory, inUnits(memory), inUnits(limit))
	}
	return nil
}

// What WASI calls a command's main function and its memory.
const (
	startFunction = "_start"
	memoryName    = "memory"
)

func checkStart(read *weave.Module) error {
	t := read.ExportedFunction(startFunction)
	if t == nil {
		return fmt.Errorf("%w: it exports no function of that name, so there is nothing to run: build a command, not a library or reactor",
			ErrNoStart)
	}
	if !t.Equal(&weave.Type{}) {
		return fmt.Errorf("%w: the function of that name takes or returns values, WASI's takes and returns nothing: build with a WASI toolchain",
			ErrNoStart)
	}
	return nil
}

// refused says that the engine does not take a module.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return malformed(errors.New(cut(strings.Join(strings.Fields(err.Error()), " "), maxReason)))
}

// try instantiates the module, so that what cannot work is found at load.
func (m *Module) try(ctx context.Context) error {
	return m.demand.try(ctx, m.runtime.limits.Budget > 0, func(ctx context.Context) (io.Closer, error) { return m.Instantiate(ctx, Call{}) })
}

// try instantiates, and where memory is counted it measures what that takes.
func (d *demand) try(ctx context.Context, counted bool, instantiate func(context.Context) (io.Closer, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errStartTimeout)
	defer cancel()
	err := once(ctx, instantiate, func() {})
	if err == nil && counted {
		err = d.measure(ctx, instantiate)
	}
	if err == nil {
		return nil
	}
	var (
		trap *TrapError
		exit *ExitError
		hint = "it runs before anything else and must end soon and well: look for constructors of globals"
	)
	switch {
	case errors.Is(err, errStartTimeout):
		return fmt.Errorf("%w: it was not done after %v: %s", ErrStartFunction, startTimeout, hint)
	case errors.As(err, &trap), errors.As(err, &exit):
		return fmt.Errorf("%w: %w: %s", ErrStartFunction, err, hint)
	case errors.Is(err, ErrStopped), errors.Is(err, ErrBudget):
		return err
	}
	return malformed(err)
}

// once makes an instance, calls made, and closes it.
func once(ctx context.Context, instantiate func(context.Context) (io.Closer, error), made func()) error {
	i, err := instantiate(ctx)
	if err != nil {
		return err
	}
	made()
	return i.Close()
}

// measure instantiates and notes what that allocates: it is not the first instance, and finds everything prepared. The collector lets as much
// garbage gather as there is in use, hence twice that.
//
// It is not done without need: reading these numbers stops the world and touches memory of every size.
func (d *demand) measure(ctx context.Context, instantiate func(context.Context) (io.Closer, error)) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := once(ctx, instantiate, func() { runtime.ReadMemStats(&after) })
	d.heap = 2 * (after.TotalAlloc - before.TotalAlloc)
	return err
}

var errStartTimeout = errors.New("the start function took too long")
