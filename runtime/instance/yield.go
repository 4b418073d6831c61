package instance

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// errStopped is what a host function panics with to end a guest; wazero makes it the error of the call.
var errStopped = errors.New("stopped")

// exportYield makes the function that woven modules call every so often, and what they import it from.
func (r *Runtime) exportYield(ctx context.Context) error {
	_, err := r.engine.NewHostModuleBuilder(weave.HostModule).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(func(ctx context.Context, _ []uint64) { callOf(ctx).guest.yield(ctx) }), nil, nil).
		WithName(weave.YieldName).Export(weave.YieldName).
		Instantiate(ctx)
	if err != nil {
		return err
	}
	r.host, err = r.engine.InstantiateWithConfig(ctx, weave.Host(), r.config.WithName(weave.YieldModule))
	return err
}

const (
	// afterSched is how long a guest runs at least before it lets other goroutines run first. With ticks it is asked that rarely anyway.
	afterSched = 100 * time.Microsecond
	// afterPark is how long a guest runs before it needs a turn, and sleeps if none is left.
	afterPark = 2 * time.Millisecond
	// parked is how long it then sleeps. It need only be long enough for the scheduler to find nothing to do.
	parked = 20 * time.Microsecond
	// maxWait bounds how long a guest waits for its turn, in case those that have it are stuck in the host.
	maxWait = 250 * time.Millisecond
)

// pace is how a guest that computes makes room for others.
//
// That it enters Go at all is what the collector needs. Others need more: Go's scheduler looks at the network only when it finds
// nothing else to run, or every 10 ms. With as many computing guests as processors there is always something else to run, so a guest
// that has run for a while sleeps for a moment, and while it does its processor looks at the network. That works as long as there
// are not more guests that compute than processors, so the others wait for their turn. While a turn is left, so is a processor, and
// nobody need sleep.
type pace struct {
	began    time.Time // of the run
	schedAt  time.Duration
	parkAt   time.Duration
	hasTurn  bool
	waitTime *time.Timer
}

func (p *pace) reset(now time.Time) {
	*p = pace{began: now, schedAt: afterSched, parkAt: afterPark, waitTime: p.waitTime}
}

// turns are as many as there are processors.
type turns chan struct{}

func newTurns() turns { return make(turns, runtime.GOMAXPROCS(0)) }

// yield is called by the guest, from its own goroutine.
func (g *guest) yield(ctx context.Context) {
	if ctx.Err() != nil {
		panic(errStopped)
	}
	if g.below+g.stack.size() > maxCallStack {
		panic(errCallStack)
	}
	p := &g.pace
	switch ran := time.Since(p.began); {
	case ran >= p.parkAt:
		g.park(ctx)
		ran = time.Since(p.began)
		p.schedAt, p.parkAt = ran+afterSched, ran+afterPark
		if ctx.Err() != nil {
			panic(errStopped)
		}
	case ran >= p.schedAt:
		runtime.Gosched()
		p.schedAt = ran + afterSched
	}
}

func (g *guest) park(ctx context.Context) {
	g.giveTurn()
	g.takeTurn(ctx)
	if turns := g.runtime.turns; len(turns) < cap(turns) {
		runtime.Gosched()
	} else {
		time.Sleep(parked)
	}
}

func (g *guest) takeTurn(ctx context.Context) {
	p, turns := &g.pace, g.runtime.turns
	select {
	case turns <- struct{}{}:
		p.hasTurn = true
		return
	default:
	}
	if p.waitTime == nil {
		p.waitTime = time.NewTimer(maxWait)
	} else {
		p.waitTime.Reset(maxWait)
	}
	defer p.waitTime.Stop()
	select {
	case turns <- struct{}{}:
		p.hasTurn = true
	case <-p.waitTime.C:
	case <-ctx.Done():
	}
}

// giveTurn is called when the guest does not compute for a while, and when it ends.
func (g *guest) giveTurn() {
	if g.pace.hasTurn {
		g.pace.hasTurn = false
		<-g.runtime.turns
	}
}

// sleep is the guest's Nanosleep.
func (g *guest) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	g.wait()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		g.resume()
	case <-g.ctx.Done():
		panic(errStopped)
	}
}
