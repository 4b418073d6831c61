package abi

import "fmt"

// Canonical ABI, "Lifting and Lowering Values": lift_flat_values and lower_flat_values, for parameters and for results.

// liftParams lifts what canon lower was called with into args, which has room for each parameter.
func (cx *LiftLowerContext) liftParams(ft *FuncType, flat []uint64, args []Value) error {
	cx.beginLift(ft.params.inside - len(args))
	if err := cx.take(uint64(len(args)) * valueSize); err != nil {
		return err
	}
	ptr := uint32(0)
	inMemory := ft.paramsInMemory()
	if inMemory {
		ptr = uint32(flat[0])
		if err := cx.check("parameters", ptr, uint64(ft.params.size), ft.params.align); err != nil {
			return err
		}
	}
	for i := range ft.params.fields {
		p := &ft.params.fields[i]
		var err error
		if inMemory {
			args[i], err = cx.load(ptr+p.offset, p.layout)
		} else {
			args[i], err = cx.liftFlat(flat[p.flat:], p.layout)
		}
		if err != nil {
			cx.lose()
			return fmt.Errorf("parameter %q: %w", p.name, err)
		}
	}
	return nil
}

// liftResult lifts what the callee of canon lift returned.
func (cx *LiftLowerContext) liftResult(ft *FuncType, flat []uint64) (Value, error) {
	if ft.result == nil {
		return Value{}, nil
	}
	cx.beginLift(ft.result.inside)
	v, err := cx.liftResultValue(ft, flat)
	if err != nil {
		cx.lose()
		return Value{}, fmt.Errorf("result: %w", err)
	}
	return v, nil
}

func (cx *LiftLowerContext) liftResultValue(ft *FuncType, flat []uint64) (Value, error) {
	if !ft.resultInMemory() {
		return cx.liftFlat(flat, ft.result)
	}
	ptr := uint32(flat[0])
	if err := cx.check("value", ptr, uint64(ft.result.size), ft.result.align); err != nil {
		return Value{}, err
	}
	return cx.load(ptr, ft.result)
}

// beginLift begins to lift a value of a type that has up to so many others inside, without what is in lists.
func (cx *LiftLowerContext) beginLift(inside int) {
	cx.fetch()
	cx.room = maxLift
	cx.arena, cx.ahead = nil, inside
	cx.lifted = cx.lifted[:0]
}

// lowerParams lowers arguments for the callee of canon lift.
func (cx *LiftLowerContext) lowerParams(ft *FuncType, args []Value, flat []uint64) error {
	if len(args) != len(ft.params.fields) {
		return hostError("%d arguments for %d parameters", len(args), len(ft.params.fields))
	}
	cx.fetch()
	i, err := cx.lowerParamValues(ft, args, flat)
	if err == nil {
		return nil
	}
	for j, v := range args {
		cx.loseRest(v, ft.params.fields[j].layout)
	}
	if i < len(args) {
		return fmt.Errorf("parameter %q: %w", ft.params.fields[i].name, err)
	}
	return fmt.Errorf("parameters: %w", err)
}

// lowerParamValues returns the number of the parameter that an error is about, or one that does not exist.
func (cx *LiftLowerContext) lowerParamValues(ft *FuncType, args []Value, flat []uint64) (int, error) {
	ptr := uint32(0)
	inMemory := ft.paramsInMemory()
	if inMemory {
		var err error
		if ptr, err = cx.allocate(ft.params.align, ft.params.size); err != nil {
			return len(args), err
		}
		flat[0] = uint64(ptr)
	}
	for i := range ft.params.fields {
		p := &ft.params.fields[i]
		var err error
		if inMemory {
			err = cx.store(args[i], p.layout, ptr+p.offset)
		} else {
			err = cx.lowerFlat(args[i], p.layout, flat[p.flat:])
		}
		if err != nil {
			return i, err
		}
	}
	return 0, nil
}

// lowerResult lowers the result of a call for the caller of canon lower.
func (cx *LiftLowerContext) lowerResult(ft *FuncType, flat []uint64, v Value) error {
	if ft.result == nil {
		if v.bits != 0 || v.ref != nil {
			return hostError("a result of a function that has none")
		}
		return nil
	}
	cx.fetch()
	if err := cx.lowerResultValue(ft, flat, v); err != nil {
		cx.loseRest(v, ft.result)
		return fmt.Errorf("result: %w", err)
	}
	return nil
}

func (cx *LiftLowerContext) lowerResultValue(ft *FuncType, flat []uint64, v Value) error {
	if !ft.resultInMemory() {
		return cx.lowerFlat(v, ft.result, flat)
	}
	ptr := uint32(flat[ft.coreParams()])
	if err := cx.check("value", ptr, uint64(ft.result.size), ft.result.align); err != nil {
		return err
	}
	return cx.store(v, ft.result, ptr)
}
