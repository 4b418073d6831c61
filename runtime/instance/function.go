package instance

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"
)

const (
	// maxNesting bounds how many calls of the guest wait for functions of the host that have called it again. Each has a stack of Go too.
	maxNesting = 1000
	// maxKeptStacks bounds the call stacks that an instance keeps for further calls, in bytes.
	maxKeptStacks = 1 << 20
)

// Function is a function that a part of a group exports.
type Function struct {
	instance *GroupInstance
	part     int
	name     string
	engine   engine
	busy     bool // the engine is
}

// engine runs one call at a time. It is made when it is needed.
type engine struct {
	function api.Function
	stack    callStack
}

// Call calls the function, with its parameters in stack, which has room for the results too and has them in the end.
//
// A function of the host may call the guest again, be it this very function. Such a call runs under the context of the outermost one,
// and its error tells the host that it failed; the host may look into it with errors.Is and errors.As, and should return one that wraps
// it. The outermost call returns *ExitError, whatever the code, *TrapError or *StopError.
func (f *Function) Call(ctx context.Context, stack []uint64) error {
	i := f.instance
	if i.closed {
		return errClosed
	}
	if i.call != nil {
		return f.nest(stack)
	}
	i.ran = true
	i.begin(ctx)
	i.call = &callContext{Context: ctx, guest: &i.guest, group: i}
	err := f.run(stack)
	i.call = nil
	i.giveTurn()
	if err != nil {
		return end(err).outcome(ctx)
	}
	return nil
}

// nest is a call within a call.
func (f *Function) nest(stack []uint64) error {
	i := f.instance
	outer, below := i.stack, i.below
	i.below += outer.size()
	if i.nesting == maxNesting || i.below > maxCallStack {
		i.below = below
		return &ended{reason: errCallStack.Error(), cause: errCallStack}
	}
	i.nesting++
	err := f.run(stack)
	i.nesting--
	i.stack, i.below = outer, below
	if err != nil {
		return end(err)
	}
	return nil
}

// run returns wazero's error.
func (f *Function) run(stack []uint64) error {
	i, e, busy := f.instance, &f.engine, f.busy
	if busy {
		e = &engine{}
	}
	if e.function == nil {
		function := i.cores[f.part].ExportedFunction(f.name)
		if function == nil {
			return fmt.Errorf("%s exports no function %.64q", partName(f.part, i.group.parts[f.part].name), f.name)
		}
		*e = engine{function: function, stack: newCallStack(function)}
	} else {
		i.kept -= e.stack.size()
	}
	f.busy = true
	i.stack = e.stack
	err := e.function.CallWithStack(i.call, stack)
	f.busy = busy
	if busy {
		return err
	}
	if size := e.stack.size(); err == nil && i.kept+size <= maxKeptStacks {
		i.kept += size
	} else {
		*e = engine{}
	}
	return err
}
