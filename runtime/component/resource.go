package component

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// resourceFunc makes one of the built-ins of a resource type. Canonical ABI, canon_resource_new, _rep and _drop.
func (l *linker) resourceFunc(op binary.ResourceOp, rt *types.Resource, number int) coreItem {
	i32 := []byte{abi.CoreI32}
	name := fmt.Sprintf("%v %s", op, rt.Name)
	switch op {
	case binary.ResourceNew:
		return l.addHost(name, i32, i32, func(i *Instance, stack []uint64) error {
			handle, err := abi.CanonResourceNew(&i.interior.inside[number-1], rt, uint32(stack[0]))
			stack[0] = uint64(handle)
			return err
		})
	case binary.ResourceRep:
		return l.addHost(name, i32, i32, func(i *Instance, stack []uint64) error {
			rep, err := abi.CanonResourceRep(&i.interior.inside[number-1], rt, uint32(stack[0]))
			stack[0] = uint64(rep)
			return err
		})
	}
	d := l.dropper(rt)
	return l.addHost(name, i32, nil, func(i *Instance, stack []uint64) error {
		return d.drop(i, &i.interior.inside[number-1], uint32(stack[0]))
	})
}

// dropper drops handles of a resource type.
type dropper struct {
	rt         *types.Resource
	destructor *coreFunc          // of a component; may be nil
	host       func(resource any) // of the host; may be nil
}

func (l *linker) dropper(rt *types.Resource) *dropper {
	return &dropper{rt: rt, destructor: l.destructors[rt], host: l.plan.drops[rt]}
}

// drop drops a handle out of the table of a component instance. When that owned the resource, its destructor runs.
func (d *dropper) drop(i *Instance, from *abi.ComponentInstance, handle uint32) error {
	v, own, err := abi.CanonResourceDrop(from, d.rt, handle)
	switch {
	case err != nil || !own:
		return err
	case d.rt.Owner == 0:
		if d.host != nil {
			d.host(v.Resource())
		}
		return nil
	}
	var destructor abi.CoreFunc
	if d.destructor != nil {
		destructor = i.interior.bindCoreFunc(d.destructor)
	}
	return abi.CallDestructor(&i.interior.inside[d.rt.Owner-1], destructor, v.Rep(), from)
}
