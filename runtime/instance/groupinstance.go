package instance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// GroupInstance is a fresh instance of each part of a group, linked to one another. One goroutine uses and closes it.
type GroupInstance struct {
	guest
	group     *Group
	owner     any
	cores     []api.Module // of the parts, as far as they are instantiated
	memories  memories
	functions []*Function // those asked for
	call      *callContext
	nesting   int // calls that wait for the running one
	kept      int // bytes of idle call stacks
	ran       bool
	closed    bool
}

// usualFunctions is how many functions of an instance are called from outside, most often.
const usualFunctions = 4

// Memory is a linear memory.
type Memory interface {
	// Bytes returns all of it. After any call of the guest it must be asked for again.
	Bytes() []byte
}

var _ Memory = (*memory)(nil)

// Instantiate makes a fresh instance of the group: of each part in order, and its start function runs before the next part is made.
// So functions of the host may be called already; owner is what they find by GroupInstance.Owner. ctx stops the start functions.
// It returns an error that wraps ErrBudget when all instances together have no room for it.
func (g *Group) Instantiate(ctx context.Context, owner any) (*GroupInstance, error) {
	i := &GroupInstance{guest: guest{runtime: g.runtime}, group: g, owner: owner}
	i.cores, i.functions = make([]api.Module, 0, len(g.parts)), make([]*Function, 0, usualFunctions)
	if err := i.memories.reserve(g.runtime, &g.demand, g.memories); err != nil {
		return nil, err
	}
	inner := experimental.WithImportResolver(ctx, i.resolve)
	if g.memories > 0 {
		inner = experimental.WithMemoryAllocator(inner, &i.memories)
	}
	for k := range g.parts {
		if err := i.instantiate(ctx, inner, k); err != nil {
			_ = i.Close()
			return nil, fmt.Errorf("instantiate %s: %w", partName(k, g.parts[k].name), err)
		}
	}
	i.ran = false
	return i, nil
}

func (i *GroupInstance) instantiate(ctx, inner context.Context, k int) error {
	if ctx.Err() != nil {
		return &StopError{Cause: context.Cause(ctx)}
	}
	p := &i.group.parts[k]
	core, err := i.runtime.instantiate(inner, p.compiled, i.runtime.config)
	if err != nil {
		return instantiationError(err)
	}
	i.cores = append(i.cores, core)
	if !p.hasStart {
		return nil
	}
	start := Function{instance: i, part: k, name: weave.StartName}
	if err := start.Call(ctx, nil); err != nil {
		return fmt.Errorf("the start function: %w", err)
	}
	return nil
}

// instantiationError tells apart what a guest does to itself: a data segment that does not fit traps.
func instantiationError(err error) error {
	const outOfBounds = "out of bounds memory access"
	if strings.HasSuffix(err.Error(), outOfBounds) {
		return &TrapError{Reason: outOfBounds}
	}
	return err
}

// resolve finds for the part that is being instantiated what its imports call name.
func (i *GroupInstance) resolve(name string) api.Module {
	switch name {
	case weave.YieldModule:
		return nil // wazero finds it by its name
	case hostImport:
		return i.group.host
	}
	n, err := strconv.Atoi(name)
	if err != nil {
		return nil // cannot be: the names are ours
	}
	return i.cores[i.group.parts[len(i.cores)].providers[n]]
}

// Owner returns what the instance was made with.
func (i *GroupInstance) Owner() any { return i.owner }

// Context returns the context of the outermost call that runs, nil when none does. It ends when the guest must stop, and what waits in a
// function of the host must not wait longer.
func (i *GroupInstance) Context() context.Context {
	if i.call == nil {
		return nil
	}
	return i.call
}

// GiveTurn is for a function of the host to call before it waits, so that other guests compute meanwhile.
func (i *GroupInstance) GiveTurn() { i.giveTurn() }

// Size is how much linear memory the instance has now, in bytes.
func (i *GroupInstance) Size() uint64 { return i.memories.size }

// TakeMemory takes bytes out of the budget of all instances, for what the host needs while it serves a call of this one, and reports
// whether there was room. GiveMemory gives them back; Close does too.
func (i *GroupInstance) TakeMemory(bytes uint64) bool {
	if i.closed || !i.runtime.budget.take(bytes) {
		return false
	}
	i.memories.host += bytes
	return true
}

// GiveMemory gives back what TakeMemory took.
func (i *GroupInstance) GiveMemory(bytes uint64) {
	i.memories.host -= bytes
	i.runtime.budget.give(bytes)
}

// Function returns a function that a part exports.
func (i *GroupInstance) Function(part int, export string) (*Function, error) {
	for _, f := range i.functions {
		if f.part == part && f.name == export {
			return f, nil
		}
	}
	if err := i.exports(part, export, weave.Function); err != nil {
		return nil, err
	}
	f := &Function{instance: i, part: part, name: export}
	i.functions = append(i.functions, f)
	return f, nil
}

// Memory returns a memory that a part exports.
func (i *GroupInstance) Memory(part int, export string) (Memory, error) {
	if err := i.exports(part, export, weave.Memory); err != nil {
		return nil, err
	}
	return &i.memories.all[i.group.parts[part].memory], nil
}

func (i *GroupInstance) exports(part int, export string, want kind) error {
	switch {
	case i.closed:
		return errClosed
	case part < 0 || part >= len(i.cores):
		return fmt.Errorf("core instance %d: there are %d", part, len(i.cores))
	}
	if k, ok := i.group.parts[part].exports[export]; !ok || k != want {
		return fmt.Errorf("%s exports no %s %.64q", partName(part, i.group.parts[part].name), want, export)
	}
	return nil
}

var (
	errClosed  = errors.New("the instance is closed")
	errRunning = errors.New("the instance cannot be closed from within a call: let the call return first")
)

// Close frees the instance. The goroutine that ran it calls it, not from within a call; after any outcome, and once more does no harm.
func (i *GroupInstance) Close() error {
	if i.closed {
		return nil
	}
	if i.call != nil {
		return errRunning
	}
	i.closed = true
	var errs []error
	for k := len(i.cores) - 1; k >= 0; k-- {
		if err := i.cores[k].Close(context.Background()); err != nil {
			errs = append(errs, err)
		}
	}
	i.cores, i.functions = nil, nil
	i.memories.release(i.ran)
	return errors.Join(errs...)
}
