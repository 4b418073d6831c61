package instance

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// Call is what one run of a module gets.
type Call struct {
	Args   []string
	Env    []string // KEY=VALUE
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	FS     wazero.FSConfig // nil: no files
}

// Instance is a module with a memory, globals and tables of its own. One goroutine runs and closes it.
type Instance struct {
	guest
	module   *Module
	core     api.Module
	memories memories
	context  callContext // of the call that runs
	seat     *seat
	env      []string
	stdin    io.Reader // nil: empty
	stdout   io.Writer // nil: discarded
	stderr   io.Writer
	ran      bool
}

// Instantiate makes a fresh instance. Nothing of it has run but its start function, if it has one; ctx stops that.
// It returns an error that wraps ErrBudget when all instances together have no room for it.
func (m *Module) Instantiate(ctx context.Context, c Call) (*Instance, error) {
	for _, kv := range c.Env {
		if strings.IndexByte(kv, 0) >= 0 {
			return nil, fmt.Errorf("environment variable %.40q: must not contain a zero byte", kv)
		}
	}
	i := &Instance{guest: guest{runtime: m.runtime, ctx: ctx}, module: m, env: c.Env, stdin: c.Stdin, stdout: c.Stdout, stderr: c.Stderr}
	if m.hasMemory {
		if err := i.memories.reserve(m.runtime, &m.demand); err != nil {
			return nil, err
		}
	}
	i.context.guest, i.context.instance = &i.guest, i
	i.seat = m.sit(i, &c)
	l := link(nil, &i.memories)
	core, err := m.runtime.instantiate(l, m.compiled, i.seat.config)
	l.unlink()
	if err != nil {
		_ = i.Close()
		return nil, fmt.Errorf("instantiate: %w", err)
	}
	i.core = core
	if m.hasStart {
		if err := i.call(ctx, &m.start, weave.StartName); err != nil {
			_ = i.Close()
			return nil, fmt.Errorf("the start function: %w", err)
		}
	}
	return i, nil
}

// Run calls _start and returns when the guest has ended: nil when it returned or exited with 0, *ExitError, *TrapError, or when ctx
// ended first *StopError. It may be called once.
func (i *Instance) Run(ctx context.Context) error {
	i.ran = true
	return i.call(ctx, &i.module.main, startFunction)
}

func (i *Instance) call(ctx context.Context, f *engines, name string) error {
	e := f.take(i.core, name, 0)
	if e == nil {
		return fmt.Errorf("the module exports no function %q", name)
	}
	i.begin(ctx)
	i.stack = e.stack
	i.context.Context = ctx
	err := e.function.CallWithStack(&i.context, nil)
	i.end()
	if err == nil {
		f.give(e)
	}
	return outcome(ctx, err)
}

// Close frees the instance. The goroutine that ran it calls it; after any outcome, and once more does no harm.
func (i *Instance) Close() error {
	var err error
	if i.core != nil {
		err = i.core.Close(context.Background())
		i.core = nil
	}
	i.memories.release(i.ran)
	if i.seat != nil {
		i.module.leave(i.seat)
		i.seat = nil
	}
	return err
}
