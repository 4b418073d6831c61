package component

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// boundFunc is a function of the plan in an instance. It implements abi.FuncInst.
type boundFunc struct {
	instance *Instance
	fn       *fn
}

var _ abi.FuncInst = (*boundFunc)(nil)

func (i *Instance) bind(f *fn) *boundFunc {
	b := &i.funcs[f.number]
	if b.instance == nil {
		*b = boundFunc{i, f}
	}
	return b
}

// Invoke calls a function of the host, or one that a component lifts.
func (b *boundFunc) Invoke(c abi.Caller) error {
	f, i := b.fn, b.instance
	if f.host == nil {
		var post abi.CoreFunc
		if f.postReturn != nil {
			post = i.bindCoreFunc(f.postReturn)
		}
		return abi.CanonLift(f.kind, f.options, i.bindCore(f.core), &i.inside[f.instance-1], i.bindCoreFunc(f.callee), post, c)
	}
	args, err := c.Start()
	if err != nil {
		return err
	}
	result, err := f.host(&i.call, args)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	if err := c.Resolve(result); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

// boundCore is a memory and a realloc of an instance, as a canonical definition names them. It implements abi.Core.
type boundCore struct {
	instance *Instance
	core     *core
	memory   instance.Memory // nil: none, or not looked up yet
	scratch  [4]uint64       // for realloc; the specification lets nothing enter while that runs
}

var _ abi.Core = (*boundCore)(nil)

func (i *Instance) bindCore(c *core) *boundCore {
	b := &i.cores[c.number]
	if b.instance == nil {
		b.instance, b.core = i, c
	}
	return b
}

// Memory returns the bytes of the memory now.
func (b *boundCore) Memory() []byte {
	if b.memory == nil {
		at := b.core.memory
		if at.part < 0 {
			return nil
		}
		m, err := b.instance.group.Memory(at.part, at.export)
		if err != nil {
			return nil // validated: cannot be
		}
		b.memory = m
	}
	return b.memory.Bytes()
}

// Realloc calls the guest's realloc.
func (b *boundCore) Realloc(old, oldSize, align, size uint32) (uint32, error) {
	if b.core.realloc == nil {
		return 0, fmt.Errorf("a value needs memory and the canonical definition names no realloc")
	}
	b.scratch = [4]uint64{uint64(old), uint64(oldSize), uint64(align), uint64(size)}
	if err := b.instance.bindCoreFunc(b.core.realloc).Call(b.scratch[:]); err != nil {
		return 0, err
	}
	return uint32(b.scratch[0]), nil
}

// boundCoreFunc is a core function of an instance that the host calls. It implements abi.CoreFunc.
type boundCoreFunc struct {
	instance *Instance
	item     coreItem
	function *instance.Function // nil: a function of the host, or not looked up yet
}

var _ abi.CoreFunc = (*boundCoreFunc)(nil)

func (i *Instance) bindCoreFunc(f *coreFunc) *boundCoreFunc {
	b := &i.coreFuncs[f.number]
	if b.instance == nil {
		b.instance, b.item = i, f.coreItem
	}
	return b
}

// Call calls the function: parameters and results are in the stack.
func (b *boundCoreFunc) Call(stack []uint64) error {
	g := b.instance.group
	if b.item.part < 0 {
		return b.instance.component.plan.host[b.item.host].Call(b.instance.context(), g, stack)
	}
	if b.function == nil {
		f, err := g.Function(b.item.part, b.item.export)
		if err != nil {
			return err
		}
		b.function = f
	}
	return b.function.Call(b.instance.context(), stack)
}
