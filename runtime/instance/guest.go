package instance

import (
	"context"
	"time"
)

// guest is what the host keeps of code that runs, be it one module or a group of them: when it must stop, how it makes room for
// others, how much call stack it has.
type guest struct {
	runtime *Runtime
	ctx     context.Context // of the run in progress
	pace    pace
	stack   callStack // of the call that runs
	below   int       // bytes of the stacks of the calls that wait for it
	waits   bool      // in a function of the host: nobody need tell it to yield
}

// begin prepares for a call that no other waits for.
func (g *guest) begin(ctx context.Context) {
	g.ctx = ctx
	g.pace.reset(time.Now())
	g.runtime.ticker.begin()
}

// end is called when the call has returned.
func (g *guest) end() {
	g.resume()
	g.giveTurn()
	g.runtime.ticker.end()
}

// wait is called before the guest waits for something in the host, resume before it runs again, whether it has waited or not.
func (g *guest) wait() {
	g.giveTurn()
	if !g.waits {
		g.waits = true
		g.runtime.ticker.end()
	}
}

func (g *guest) resume() {
	if g.waits {
		g.waits = false
		g.runtime.ticker.begin()
	}
}

// callContext tells the functions of the host who calls them.
type callContext struct {
	context.Context
	guest    *guest
	instance *Instance      // nil in a group
	group    *GroupInstance // nil in a module
}

type callKey struct{}

func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func callOf(ctx context.Context) *callContext { return ctx.Value(callKey{}).(*callContext) }

func instanceOf(ctx context.Context) *Instance { return callOf(ctx).instance }
