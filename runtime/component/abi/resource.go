package abi

import "github.com/mayfly-run/mayfly/runtime/component/types"

// CanonResourceNew makes an own handle of a resource that the instance's component defines. Canonical ABI, canon_resource_new.
func CanonResourceNew(inst *ComponentInstance, rt *types.Resource, rep uint32) (uint32, error) {
	if !inst.mayLeave {
		return 0, errMayLeave()
	}
	return inst.handles.add(ResourceHandle{rt: rt, rep: GuestResource(rep), own: true})
}

// CanonResourceRep is what represents the resource of a handle. Canonical ABI, canon_resource_rep.
func CanonResourceRep(inst *ComponentInstance, rt *types.Resource, i uint32) (uint32, error) {
	h, err := inst.handle(i, rt)
	if err != nil {
		return 0, err
	}
	return h.rep.Rep(), nil
}

// CanonResourceDrop removes a handle. If it was an own handle, the resource has no owner any more, and its destructor is to be called:
// that of the host with v, that of a component by CallDestructor. Canonical ABI, canon_resource_drop.
func CanonResourceDrop(inst *ComponentInstance, rt *types.Resource, i uint32) (v Value, own bool, err error) {
	if !inst.mayLeave {
		return Value{}, false, errMayLeave()
	}
	h, err := inst.handle(i, rt)
	if err != nil {
		return Value{}, false, err
	}
	if h.numLends != 0 {
		return Value{}, false, errLent(i)
	}
	v, own = h.rep, h.own
	if !own {
		h.borrowScope.numBorrows--
	}
	inst.handles.remove(i)
	return v, own, nil
}

// CallDestructor calls the destructor of a resource that a component defines: it is a call from the instance that dropped the handle, nil
// for the host, into the one that defines the resource. dtor is nil if there is none; the call is checked all the same.
func CallDestructor(impl *ComponentInstance, dtor CoreFunc, rep uint32, caller *ComponentInstance) error {
	if err := impl.enter(caller); err != nil {
		return err
	}
	if dtor != nil {
		t := impl.newTask(Options{}, nil)
		t.stack[0] = uint64(rep)
		if err := dtor.Call(t.stack[:1]); err != nil {
			return err
		}
		t.free()
	}
	impl.leaveTo(caller)
	return nil
}

// handle finds a handle of a resource.
func (i *ComponentInstance) handle(index uint32, rt *types.Resource) (*ResourceHandle, error) {
	h, err := i.handles.get(index)
	if err != nil {
		return nil, err
	}
	if h.rt != rt {
		return nil, trap("handle index %d used with the wrong type, expected resource %s but found resource %s", index, name(rt), name(h.rt))
	}
	return h, nil
}

func errLent(i uint32) error {
	return trap("handle index %d: cannot remove owned resource while borrowed", i)
}

func name(rt *types.Resource) string {
	if rt.Name == "" {
		return "(no name)"
	}
	return rt.Name
}

// liftOwn takes a handle out of the table: its resource is the callee's from now on. Canonical ABI, lift_own.
func (cx *LiftLowerContext) liftOwn(i uint32, rt *types.Resource) (Value, error) {
	h, err := cx.inst.handle(i, rt)
	switch {
	case err != nil:
		return Value{}, err
	case h.numLends != 0:
		return Value{}, errLent(i)
	case !h.own:
		return Value{}, trap("handle index %d used with the wrong type, expected an own handle but found a borrow handle", i)
	}
	rep := h.rep
	cx.inst.handles.remove(i)
	cx.lifted = append(cx.lifted, ownHandle{rt, rep})
	return rep, nil
}

// liftBorrow lends a handle to the callee, until the call ends. Canonical ABI, lift_borrow.
func (cx *LiftLowerContext) liftBorrow(i uint32, rt *types.Resource) (Value, error) {
	h, err := cx.inst.handle(i, rt)
	if err != nil {
		return Value{}, err
	}
	if cx.subtask == nil {
		return Value{}, hostError("a result has a borrow handle: validation allows none there")
	}
	cx.subtask.addLender(i, h)
	return h.rep, nil
}

// lowerOwn makes a handle of a resource that now is the instance's. Canonical ABI, lower_own.
func (cx *LiftLowerContext) lowerOwn(v Value, rt *types.Resource) (uint32, error) {
	if err := checkResource(v, rt); err != nil {
		return 0, err
	}
	i, err := cx.inst.handles.add(ResourceHandle{rt: rt, rep: v, own: true})
	if err != nil {
		return 0, err
	}
	cx.lowered++
	return i, nil
}

// lowerBorrow makes a handle that the callee has to drop before it returns; the instance that defines the resource gets what represents
// it instead. Canonical ABI, lower_borrow.
func (cx *LiftLowerContext) lowerBorrow(v Value, rt *types.Resource) (uint32, error) {
	if err := checkResource(v, rt); err != nil {
		return 0, err
	}
	if cx.task == nil {
		return 0, hostError("a result has a borrow handle: validation allows none there")
	}
	if rt.Owner != 0 && rt.Owner == cx.inst.id {
		return v.Rep(), nil
	}
	cx.task.numBorrows++
	return cx.inst.handles.add(ResourceHandle{rt: rt, rep: v, borrowScope: cx.task})
}

func checkResource(v Value, rt *types.Resource) error {
	switch v.ref.(type) {
	case nil:
		if rt.Owner == 0 {
			return hostError("a handle of resource %s that represents nothing: make it with Resource", name(rt))
		}
		return nil
	case *stringData, *bytesData, *listData, *Value:
		return hostError("a handle of resource %s is needed: make it with Resource", name(rt))
	}
	if rt.Owner != 0 {
		return hostError("a handle of resource %s, which a component defines: make it with GuestResource", name(rt))
	}
	return nil
}
