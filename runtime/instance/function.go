package instance

import (
	"context"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// maxNesting bounds how many calls of the guest wait for functions of the host that have called it again. Each has a stack of Go too.
const maxNesting = 1000

// Function is a function that a part of a group exports, found once for all instances. It may be used from several goroutines at once.
type Function struct {
	group   *Group
	part    int
	name    string
	engines engines
}

// Function finds a function that a part exports.
func (g *Group) Function(part int, export string) (*Function, error) {
	if err := g.exports(part, export, weave.Function); err != nil {
		return nil, err
	}
	return &Function{group: g, part: part, name: export}, nil
}

// Call calls the function in an instance of its group, with its parameters in stack, which has room for the results too and has them in the
// end.
//
// A function of the host may call the guest again, be it this very function. Such a call runs under the context of the outermost one,
// and its error tells the host that it failed; the host may look into it with errors.Is and errors.As, and should return one that wraps
// it. The outermost call returns *ExitError, whatever the code, *TrapError or *StopError.
func (f *Function) Call(ctx context.Context, i *GroupInstance, stack []uint64) error {
	switch {
	case i.closed:
		return errClosed
	case i.group != f.group || f.part >= len(i.cores):
		return fmt.Errorf("%s has no function %.64q, or not yet", partName(f.part, f.group.parts[f.part].name), f.name)
	case i.running:
		return f.nest(i, stack)
	}
	i.ran, i.running = true, true
	i.begin(ctx)
	if i.call.Context != ctx { // else others may be looking at it, who got it from the call before
		i.call.Context = ctx
	}
	err := f.run(i, stack)
	i.running = false
	i.end()
	if err != nil {
		return end(err).outcome(ctx)
	}
	return nil
}

// nest is a call within a call.
func (f *Function) nest(i *GroupInstance, stack []uint64) error {
	outer, below := i.stack, i.below
	i.below += outer.size()
	if i.nesting == maxNesting || i.below > maxCallStack {
		i.below = below
		return &ended{reason: errCallStack.Error(), cause: errCallStack}
	}
	i.nesting++
	err := f.run(i, stack)
	i.nesting--
	i.stack, i.below = outer, below
	if err != nil {
		return end(err)
	}
	return nil
}

// run returns wazero's error.
func (f *Function) run(i *GroupInstance, stack []uint64) error {
	e := f.engines.take(i.cores[f.part], f.name, i.nesting)
	if e == nil {
		return fmt.Errorf("%s exports no function %.64q", partName(f.part, f.group.parts[f.part].name), f.name)
	}
	i.stack = e.stack
	i.resume()
	err := e.function.CallWithStack(&i.call, stack)
	if err == nil {
		f.engines.give(e)
	}
	return err
}
