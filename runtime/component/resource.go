package component

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// resourceFunc makes one of the built-ins of a resource type. Canonical ABI, canon_resource_new, _rep and _drop.
func (l *linker) resourceFunc(op binary.ResourceOp, rt *types.Resource, number int) coreItem {
	i32 := []byte{typeI32}
	name := fmt.Sprintf("%v %s", op, rt.Name)
	switch op {
	case binary.ResourceNew:
		return l.addHost(name, i32, i32, func(i *Instance, stack []uint64) error {
			handle, err := abi.CanonResourceNew(&i.inside[number-1], rt, uint32(stack[0]))
			stack[0] = uint64(handle)
			return err
		})
	case binary.ResourceRep:
		return l.addHost(name, i32, i32, func(i *Instance, stack []uint64) error {
			rep, err := abi.CanonResourceRep(&i.inside[number-1], rt, uint32(stack[0]))
			stack[0] = uint64(rep)
			return err
		})
	}
	d := l.dropper(rt)
	return l.addHost(name, i32, nil, func(i *Instance, stack []uint64) error {
		return d.drop(i, &i.inside[number-1], uint32(stack[0]))
	})
}

// typeI32 is how core WebAssembly encodes the type i32.
const typeI32 = 0x7f

// destructorType is the type as which the specification calls a destructor, a core function that it lifts for that.
var destructorType = func() *abi.FuncType {
	t, err := abi.NewFuncType(&types.Func{Params: []types.Field{{Name: "rep", Type: types.Primitives[types.U32]}}})
	if err != nil {
		panic(err) // it depends on nothing
	}
	return t
}()

// dropper drops handles of a resource type.
type dropper struct {
	rt         *types.Resource
	destructor *coreFunc          // of a component; may be nil
	host       func(resource any) // of the host; may be nil
	none       *core
}

func (l *linker) dropper(rt *types.Resource) *dropper {
	return &dropper{rt: rt, destructor: l.destructors[rt], host: l.plan.drops[rt], none: l.core(noItem, nil)}
}

// drop drops a handle out of the table of a component instance.
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
	return d.destroy(i, from, v)
}

// destroy runs a component's destructor, if there is one, in the component instance that defines the resource.
func (d *dropper) destroy(i *Instance, from *abi.ComponentInstance, v Value) error {
	impl := &i.inside[d.rt.Owner-1]
	callee := abi.CoreFunc(nothing{})
	if d.destructor != nil {
		callee = i.bindCoreFunc(d.destructor)
	}
	return abi.CanonLift(destructorType, abi.Options{}, i.bindCore(d.none), impl, callee, nil,
		&destruction{from: from, args: []Value{abi.U32(v.Rep())}})
}

// nothing is the destructor of a resource without one: it is called all the same, for it may not be entered when another could not.
type nothing struct{}

func (nothing) Call([]uint64) error { return nil }

// destruction calls a destructor on behalf of a component instance.
type destruction struct {
	from *abi.ComponentInstance
	args []Value
}

func (d *destruction) Instance() *abi.ComponentInstance { return d.from }
func (d *destruction) Start() ([]Value, error)          { return d.args, nil }
func (d *destruction) Resolve(Value) error              { return nil }
