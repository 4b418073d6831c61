package component

import (
	"context"
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// errEnded is what a call of an instance returns after one that failed: the specification lets nothing enter it any more.
var errEnded = errors.New("the instance has trapped and cannot be entered again")

// Instance is a running component: core instances with memories of their own, and a table of handles for each component instance
// in it. One goroutine calls and closes it.
//
// The slices have an entry for each item of the plan, by the same number. What they hold of core instances is looked up when it is
// needed first: most requests need few of them.
type Instance struct {
	component *Component
	group     *instance.GroupInstance
	ctx       context.Context // of the call in progress
	state     any
	call      Call
	inside    []abi.ComponentInstance // by number less 1
	funcs     []boundFunc
	cores     []boundCore
	coreFuncs []boundCoreFunc
	ended     bool
}

// Instantiate makes a fresh instance. The host's functions find state in [Call.State]. Of the guest nothing has run but the start
// functions of its core modules; ctx stops those. It returns an error that wraps [instance.ErrBudget] when all instances together
// have no room for it.
func (c *Component) Instantiate(ctx context.Context, state any) (*Instance, error) {
	i := c.newInstance(state)
	i.ctx = ctx
	group, err := c.group.Instantiate(ctx, i)
	if err != nil {
		i.drop()
		return nil, err
	}
	i.attach(group)
	return i, nil
}

func (c *Component) newInstance(state any) *Instance {
	p := c.plan
	i := &Instance{
		component: c,
		state:     state,
		inside:    make([]abi.ComponentInstance, len(p.instances)),
		funcs:     make([]boundFunc, len(p.funcs)),
		cores:     make([]boundCore, len(p.cores)),
		coreFuncs: make([]boundCoreFunc, len(p.coreFuncs)),
	}
	i.call.instance = i
	room := i.room
	for n, parent := range p.instances {
		var of *abi.ComponentInstance
		if parent > 0 {
			of = &i.inside[parent-1]
		}
		i.inside[n].Init(n+1, of)
		i.inside[n].Count(room)
	}
	return i
}

// room takes memory of the host's for a call out of the budget, or gives it back.
func (i *Instance) room(bytes int) bool {
	switch {
	case i.group == nil:
	case bytes > 0:
		return i.group.TakeMemory(uint64(bytes))
	default:
		i.group.GiveMemory(uint64(-bytes))
	}
	return true
}

// owner is the instance that a running group belongs to. While its core modules are being instantiated it does not know the group yet, and
// their start functions may call the host already.
func owner(g *instance.GroupInstance) *Instance {
	i := g.Owner().(*Instance)
	if i.group != g {
		i.attach(g)
	}
	return i
}

// attach makes g the core of the instance. There is another already when the component is being tried.
func (i *Instance) attach(g *instance.GroupInstance) {
	if i.group != nil {
		clear(i.cores)
		clear(i.coreFuncs)
	}
	i.group = g
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
	if err := i.bind(f.fn).Invoke(&c); err != nil {
		i.ended = true
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
	for n := range i.inside {
		i.inside[n].Close(func(rt *types.Resource, v Value) {
			if drop := i.component.plan.drops[rt]; drop != nil {
				drop(v.Resource())
			}
		})
	}
	i.inside = nil
}
