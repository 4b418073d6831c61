package component

import (
	"context"
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// errEnded is what a call of an instance returns after one that failed: the specification lets nothing enter it any more.
var errEnded = errors.New("the instance has trapped and cannot be entered again")

// Instance is a running component: core instances with memories of their own, and a table of handles for each component instance
// in it. One goroutine calls and closes it.
type Instance struct {
	component *Component
	group     *instance.GroupInstance
	interior  *interior       // nil when the instance is closed
	ctx       context.Context // of the call in progress
	state     any
	call      Call
	ended     bool
	failed    bool
}

// Instantiate makes a fresh instance. The host's functions find state in [Call.State]. Of the guest nothing has run but the start
// functions of its core modules; ctx stops those. It returns an error that wraps [instance.ErrBudget] when all instances together
// have no room for it.
func (c *Component) Instantiate(ctx context.Context, state any) (*Instance, error) {
	i := c.newInstance(state)
	i.ctx = ctx
	group, err := c.group.Instantiate(ctx, i)
	if err != nil {
		i.failed = true
		i.drop()
		return nil, err
	}
	i.group = group
	return i, nil
}

func (c *Component) newInstance(state any) *Instance {
	i := &Instance{component: c, state: state, interior: c.interior()}
	i.call.instance, i.interior.instance = i, i
	i.interior.restore(c.handles, state)
	return i
}

// owner is the instance that a running group belongs to. While its core modules are being instantiated it does not know the group yet, and
// their start functions may call the host already.
func owner(g *instance.GroupInstance) *Instance {
	i := g.Owner().(*Instance)
	i.group = g
	return i
}

// context is that of the call in progress.
func (i *Instance) context() context.Context {
	if ctx := i.group.Context(); ctx != nil {
		return ctx
	}
	return i.ctx // no core code runs
}

// Call calls an exported function. The arguments must fit its type. It returns the function's result, the zero Value if it has none,
// or an error: [*instance.TrapError], [*instance.ExitError], [*instance.StopError] when ctx ended first, or what a function of the
// host returned. After an error the instance can only be closed.
func (i *Instance) Call(ctx context.Context, f *Function, args ...Value) (Value, error) {
	if i.ended {
		return Value{}, errEnded
	}
	if n := len(f.fn.typ.Params); len(args) != n {
		return Value{}, fmt.Errorf("call %s: %d arguments: it takes %d", f.name, len(args), n)
	}
	c := hostCaller{args: args}
	i.ctx = ctx
	if err := i.interior.bind(f.fn).Invoke(&c); err != nil {
		i.ended, i.failed = true, true
		return Value{}, outcome(err)
	}
	return c.result, nil
}

// outcome makes a trap of the canonical ABI one of the guest, which it is: by itself it comes from the host's side of a call.
func outcome(err error) error {
	var guest *instance.TrapError
	var trap *abi.Trap
	if errors.As(err, &trap) && !errors.As(err, &guest) {
		return &instance.TrapError{Reason: trap.Error()}
	}
	return err
}

// hostCaller is the host as the caller of a component's function.
type hostCaller struct {
	args   []Value
	result Value
}

func (c *hostCaller) Instance() *abi.ComponentInstance { return nil }
func (c *hostCaller) Start() ([]Value, error)          { return c.args, nil }
func (c *hostCaller) Resolve(result Value) error {
	c.result = result
	return nil
}

// Close frees the instance: what it owns of the host's resources is dropped. Destructors of its own do not run, for its memory goes. The
// goroutine that called it calls Close; after any outcome, and once more does no harm.
func (i *Instance) Close() error {
	i.drop()
	if i.group == nil {
		return nil
	}
	err := i.group.Close()
	i.group = nil
	return err
}

// drop drops what the instance has left of the host's resources.
func (i *Instance) drop() {
	i.ended = true
	if i.interior == nil {
		return
	}
	i.interior.close()
	if !i.failed { // calls that broke off have left things half done
		i.component.interiors.Put(i.interior)
	}
	i.interior = nil
}
