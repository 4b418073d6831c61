package component

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// boundFunc is a function of the plan in an instance. It implements abi.FuncInst.
type boundFunc struct {
	interior *interior
	fn       *fn
}

var _ abi.FuncInst = (*boundFunc)(nil)

func (in *interior) bind(f *fn) *boundFunc { return &in.funcs[f.number] }

// Invoke calls a function of the host, or one that a component lifts.
func (b *boundFunc) Invoke(c abi.Caller) error {
	f, in := b.fn, b.interior
	if f.host == nil {
		var post abi.CoreFunc
		if f.postReturn != nil {
			post = in.bindCoreFunc(f.postReturn)
		}
		return abi.CanonLift(f.kind, f.options, in.bindCore(f.core), &in.inside[f.instance-1], in.bindCoreFunc(f.callee), post, c)
	}
	args, err := c.Start()
	if err != nil {
		return err
	}
	result, err := f.host(&in.instance.call, args)
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
	interior *interior
	core     *core
	memory   instance.Memory
	scratch  [4]uint64 // for realloc; the specification lets nothing enter while that runs
}

var _ abi.Core = (*boundCore)(nil)

func (in *interior) bindCore(c *core) *boundCore { return &in.cores[c.number] }

// Memory returns the bytes of the memory now.
func (b *boundCore) Memory() []byte {
	if b.core.memory.part < 0 {
		return nil
	}
	return b.interior.instance.group.Bytes(b.memory)
}

// Realloc calls the guest's realloc.
func (b *boundCore) Realloc(old, oldSize, align, size uint32) (uint32, error) {
	if b.core.realloc == nil {
		return 0, fmt.Errorf("a value needs memory and the canonical definition names no realloc")
	}
	b.scratch = [4]uint64{uint64(old), uint64(oldSize), uint64(align), uint64(size)}
	if err := b.interior.bindCoreFunc(b.core.realloc).Call(b.scratch[:]); err != nil {
		return 0, err
	}
	return uint32(b.scratch[0]), nil
}

// boundCoreFunc is a core function of an instance that the host calls. It implements abi.CoreFunc.
type boundCoreFunc struct {
	interior *interior
	item     coreItem
	function *instance.Function // nil: a function of the host
}

var _ abi.CoreFunc = (*boundCoreFunc)(nil)

func (in *interior) bindCoreFunc(f *coreFunc) *boundCoreFunc { return &in.coreFuncs[f.number] }

// Call calls the function: parameters and results are in the stack.
func (b *boundCoreFunc) Call(stack []uint64) error {
	i := b.interior.instance
	if b.function == nil {
		return b.interior.plan.host[b.item.host].Call(i.context(), i.group, stack)
	}
	return b.function.Call(i.context(), i.group, stack)
}
