package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

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
	module *Module
	guest  api.Module
	memory *memory // nil when the module has none
	seat   *seat
	env    []string
	stdin  io.Reader // nil: empty
	stdout io.Writer // nil: discarded
	stderr io.Writer
	ctx    context.Context // of the run in progress
	pace   pace
	stack  callStack
	ran    bool
}

// callContext tells the functions of the host which instance calls them.
type callContext struct {
	context.Context
	instance *Instance
}

type instanceKey struct{}

func (c *callContext) Value(key any) any {
	if key == (instanceKey{}) {
		return c.instance
	}
	return c.Context.Value(key)
}

func instanceOf(ctx context.Context) *Instance { return ctx.Value(instanceKey{}).(*Instance) }

// Instantiate makes a fresh instance. Nothing of it has run but its start function, if it has one; ctx stops that.
// It returns an error that wraps ErrBudget when all instances together have no room for it.
func (m *Module) Instantiate(ctx context.Context, c Call) (*Instance, error) {
	for _, kv := range c.Env {
		if strings.IndexByte(kv, 0) >= 0 {
			return nil, fmt.Errorf("environment variable %.40q: must not contain a zero byte", kv)
		}
	}
	i := &Instance{module: m, env: c.Env, stdin: c.Stdin, stdout: c.Stdout, stderr: c.Stderr, ctx: ctx}
	inner := context.Context(&callContext{Context: ctx, instance: i})
	if m.hasMemory {
		mem, err := newMemory(m)
		if err != nil {
			return nil, err
		}
		i.memory = mem
		inner = experimental.WithMemoryAllocator(inner, mem)
	}
	i.seat = m.sit(i, &c)
	guest, err := m.runtime.engine.InstantiateModule(inner, m.compiled, i.seat.config)
	if err != nil {
		_ = i.Close()
		return nil, fmt.Errorf("instantiate: %w", err)
	}
	i.guest = guest
	if start := guest.ExportedFunction(weave.StartName); start != nil {
		if err := i.call(ctx, start); err != nil {
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
	return i.call(ctx, i.guest.ExportedFunction(startFunction))
}

func (i *Instance) call(ctx context.Context, f api.Function) error {
	i.ctx = ctx
	i.pace.reset(time.Now())
	i.stack = newCallStack(f)
	defer i.giveTurn()
	_, err := f.Call(&callContext{Context: ctx, instance: i})
	return i.outcome(ctx, err)
}

// outcome makes of wazero's error one of ours.
func (i *Instance) outcome(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if exit, ok := err.(*sys.ExitError); ok {
		if exit.ExitCode() == 0 {
			return nil
		}
		return &ExitError{Code: exit.ExitCode()}
	}
	reason, stack := splitTrap(err.Error())
	switch {
	case errors.Is(err, errStopped):
		return &StopError{Cause: context.Cause(ctx), Stack: stack}
	case errors.Is(err, errCallStack):
		reason = errCallStack.Error()
	}
	return &TrapError{Reason: reason, Stack: stack}
}

// Close frees the instance. The goroutine that ran it calls it; after any outcome, and once more does no harm.
func (i *Instance) Close() error {
	var err error
	if i.guest != nil {
		err = i.guest.Close(context.Background())
		i.guest = nil
	}
	if i.memory != nil {
		if i.ran {
			i.module.appetite.learn(i.memory.size)
		}
		i.memory.release()
		i.memory = nil
	}
	if i.seat != nil {
		i.module.leave(i.seat)
		i.seat = nil
	}
	return err
}
