package component

import (
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// interior is what an instance has beside its core instances: the component instances in it, with their handles, and for each item of the
// plan, by the same number, what the canonical ABI calls. Nothing in it but the handles differs from instance to instance, so it is kept for
// the next one when an instance has ended well.
type interior struct {
	instance  *Instance // whose it is; nil: nobody's
	plan      *plan
	inside    []abi.ComponentInstance // by number less 1
	funcs     []boundFunc
	cores     []boundCore
	coreFuncs []boundCoreFunc
	drop      func(*types.Resource, Value)
}

// interior returns one for an instance that is about to be made.
func (c *Component) interior() *interior {
	in, ok := c.interiors.Get().(*interior)
	if !ok {
		in = c.newInterior()
	}
	for n, parent := range c.plan.instances {
		var of *abi.ComponentInstance
		if parent > 0 {
			of = &in.inside[parent-1]
		}
		in.inside[n].Init(n+1, of)
	}
	return in
}

func (c *Component) newInterior() *interior {
	p := c.plan
	in := &interior{
		plan:      p,
		inside:    make([]abi.ComponentInstance, len(p.instances)),
		funcs:     make([]boundFunc, len(p.funcs)),
		cores:     make([]boundCore, len(p.cores)),
		coreFuncs: make([]boundCoreFunc, len(p.coreFuncs)),
	}
	in.drop = in.dropped
	room := in.room
	for n := range in.inside {
		in.inside[n].Count(room)
	}
	for n, f := range p.funcs {
		in.funcs[n] = boundFunc{in, f}
	}
	for n, core := range p.cores {
		in.cores[n] = boundCore{interior: in, core: core, memory: c.memories[n]}
	}
	for n, f := range p.coreFuncs {
		in.coreFuncs[n] = boundCoreFunc{in, f.coreItem, c.functions[n]}
	}
	return in
}

// room takes memory of the host's for a call out of the budget, or gives it back.
func (in *interior) room(bytes int) bool {
	g := in.instance.group
	switch {
	case g == nil:
	case bytes > 0:
		return g.TakeMemory(uint64(bytes))
	default:
		g.GiveMemory(uint64(-bytes))
	}
	return true
}

// close empties it.
func (in *interior) close() {
	for n := range in.inside {
		in.inside[n].Close(in.drop)
	}
	in.instance = nil
}

// dropped tells the host that a resource of its is not needed any more.
func (in *interior) dropped(rt *types.Resource, v Value) {
	if drop := in.plan.drops[rt]; drop != nil {
		drop(v.Resource())
	}
}
