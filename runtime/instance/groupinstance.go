package instance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// GroupInstance is a fresh instance of each part of a group, linked to one another. One goroutine uses and closes it.
type GroupInstance struct {
	guest
	group    *Group
	owner    any
	cores    []api.Module // of the parts, as far as they are instantiated
	few      [usualParts]api.Module
	memories memories
	call     callContext // of the outermost call
	running  bool        // it does
	nesting  int         // calls that wait for the running one
	ran      bool
	closed   bool
}

// usualParts is how many parts a group has at most, most often.
const usualParts = 6

// Instantiate makes a fresh instance of the group: of each part in order, and its start function runs before the next part is made.
// So functions of the host may be called already; owner is what they find by GroupInstance.Owner. ctx stops the start functions.
// It returns an error that wraps ErrBudget when all instances together have no room for it.
func (g *Group) Instantiate(ctx context.Context, owner any) (*GroupInstance, error) {
	i := &GroupInstance{guest: guest{runtime: g.runtime}, group: g, owner: owner}
	i.call.guest, i.call.group = &i.guest, i
	if i.cores = i.few[:0]; len(g.parts) > usualParts {
		i.cores = make([]api.Module, 0, len(g.parts))
	}
	if err := i.memories.reserve(g.runtime, &g.demand); err != nil {
		return nil, err
	}
	for k := range g.parts {
		if err := i.instantiate(ctx, k); err != nil {
			_ = i.Close()
			return nil, fmt.Errorf("instantiate %s: %w", partName(k, g.parts[k].name), err)
		}
	}
	i.ran = false
	return i, nil
}

func (i *GroupInstance) instantiate(ctx context.Context, k int) error {
	if ctx.Err() != nil {
		return &StopError{Cause: context.Cause(ctx)}
	}
	p := &i.group.parts[k]
	l := link(i, &i.memories)
	core, err := i.runtime.instantiate(l, p.compiled, i.runtime.config)
	l.unlink()
	if err != nil {
		return instantiationError(err)
	}
	i.cores = append(i.cores, core)
	if s := i.group.snapshot; s != nil {
		s.restore(core, k)
		return nil
	}
	if p.start == nil {
		return nil
	}
	if err := p.start.Call(ctx, i, nil); err != nil {
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

// Owner returns what the instance was made with.
func (i *GroupInstance) Owner() any { return i.owner }

// Context returns the context of the outermost call that runs, nil when none does. It ends when the guest must stop, and what waits in a
// function of the host must not wait longer.
func (i *GroupInstance) Context() context.Context {
	if !i.running {
		return nil
	}
	return &i.call
}

// GiveTurn is for a function of the host to call before it waits, so that other guests compute meanwhile. Where no guest has called it there is
// no turn to give: a component may export a function of the host as it is.
func (i *GroupInstance) GiveTurn() {
	if i.running {
		i.wait()
	}
}

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

// Bytes returns a memory, nil when the instance is closed. After any call of the guest it must be asked for again.
func (i *GroupInstance) Bytes(m Memory) []byte {
	if i.closed || m.group != i.group {
		return nil
	}
	return i.memories.all[m.number].Bytes()
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
	if i.running {
		return errRunning
	}
	i.closed = true
	var errs []error
	for k := len(i.cores) - 1; k >= 0; k-- {
		if err := i.cores[k].Close(context.Background()); err != nil {
			errs = append(errs, err)
		}
	}
	i.cores, i.few = nil, [usualParts]api.Module{}
	i.memories.release(i.ran)
	return errors.Join(errs...)
}
