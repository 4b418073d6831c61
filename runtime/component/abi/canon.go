package abi

import "fmt"

// CanonLift calls a core function as a component function: what canon lift defines, together with the check that the instance
// may be entered (Canonical ABI, Store.lift and canon_lift). postReturn may be nil.
//
// After an error the instance can not be entered any more.
func CanonLift(ft *FuncType, opts Options, core Core, inst *ComponentInstance, callee, postReturn CoreFunc, c Caller) error {
	caller := c.Instance()
	if caller.related(inst) {
		return trap("cannot enter component instance: it calls itself, or one that it is in, or one that is in it")
	}
	if err := inst.enter(caller); err != nil {
		return err
	}
	t := inst.newTask(opts, core)
	if err := t.run(ft, callee, postReturn, c); err != nil {
		return err
	}
	t.free()
	inst.leaveTo(caller)
	return nil
}

func (t *Task) run(ft *FuncType, callee, postReturn CoreFunc, c Caller) error {
	args, err := c.Start()
	if err != nil {
		return err
	}
	if err := t.lowerParams(ft, args, t.stack[:]); err != nil {
		return err
	}
	if s, ok := c.(*Subtask); ok {
		s.lowered()
	}
	if err := callee.Call(t.stack[:max(ft.coreParams(), 1)]); err != nil {
		return err
	}
	flat := t.stack[0]
	result, err := t.liftResult(ft, t.stack[:1])
	if err != nil {
		return err
	}
	if err := t.return_(); err != nil {
		t.lose()
		return err
	}
	if err := c.Resolve(result); err != nil {
		return err
	}
	if postReturn == nil {
		return nil
	}
	t.inst.mayLeave = false
	t.stack[0] = flat
	if err := postReturn.Call(t.stack[:1]); err != nil {
		return fmt.Errorf("post-return: %w", err)
	}
	t.inst.mayLeave = true
	return nil
}

// CanonLower calls a component or host function as a core function: the body of the core function that canon lower defines (Canonical
// ABI, canon_lower). The stack has the parameters, and takes the results.
func CanonLower(ft *FuncType, opts Options, core Core, inst *ComponentInstance, callee FuncInst, stack []uint64) error {
	if !inst.mayLeave {
		return errMayLeave()
	}
	s := inst.newSubtask(ft, opts, core, stack)
	if err := callee.Invoke(s); err != nil {
		return err
	}
	if s.state != returned {
		return hostError("a function returned without a result: it must call Start and Resolve")
	}
	s.deliverResolve()
	s.free()
	return nil
}

func errMayLeave() error {
	return trap("cannot leave component instance: its realloc or post-return function must call no imports")
}
