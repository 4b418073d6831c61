package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/internal/figures"
)

// Asker is one client. Open does what is not to be measured, such as connecting; Ask asks once and returns how long the answer took.
type Asker interface {
	Open(ctx context.Context) error
	Ask(ctx context.Context) (time.Duration, error)
	Close() error
}

// Result is what clients saw.
type Result struct {
	Times  figures.Times // of the right answers, in no order
	Spent  time.Duration // from the first request to the last answer
	CPU    time.Duration // of this process in that time
	Failed int
	Why    error // of the first failure
}

// Rate is how many right answers came in a second.
func (r Result) Rate() float64 {
	if r.Spent <= 0 {
		return 0
	}
	return float64(len(r.Times)) / r.Spent.Seconds()
}

const (
	// pause is how long a client waits after a failure, so that one that gets nothing but those leaves the machine to others.
	pause = 20 * time.Millisecond
	// room is for the times of one client, so that it seldom grows.
	room = 1 << 14
)

// Run lets so many clients ask for so long, each as soon as it has its answer. An answer that is on its way at the end is waited for.
// Nobody asks before all are open.
func Run(ctx context.Context, clients int, long time.Duration, client func() Asker) Result {
	askers, results := make([]Asker, clients), make([]Result, clients)
	var all sync.WaitGroup
	for i := range askers {
		askers[i] = client()
		all.Go(func() {
			if err := askers[i].Open(ctx); err != nil && ctx.Err() == nil {
				results[i] = Result{Failed: 1, Why: err}
			}
		})
	}
	all.Wait()
	used, start := processorTime(), time.Now()
	for i, a := range askers {
		all.Go(func() { results[i].run(ctx, a, start.Add(long)) })
	}
	all.Wait()
	sum := Result{Spent: time.Since(start), CPU: processorTime() - used}
	for _, r := range results {
		sum.Times = append(sum.Times, r.Times...)
		sum.Failed += r.Failed
		if sum.Why == nil {
			sum.Why = r.Why
		}
	}
	return sum
}

// run is one client's part.
func (r *Result) run(ctx context.Context, a Asker, end time.Time) {
	r.Times = make(figures.Times, 0, room)
	fail := func(err error) {
		r.Failed++
		if r.Why == nil {
			r.Why = err
		}
	}
	for ctx.Err() == nil {
		took, err := a.Ask(ctx)
		switch {
		case err == nil:
			r.Times = append(r.Times, took)
		case ctx.Err() != nil: // it was told to stop: no failure of the server's
		default:
			fail(err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
		if !time.Now().Before(end) {
			break
		}
	}
	if err := a.Close(); err != nil {
		fail(err)
	}
}

// First asks until the server answers at all, and rightly.
func First(ctx context.Context, a Asker) (err error) {
	defer func() { err = errors.Join(err, a.Close()) }()
	for {
		_, last := a.Ask(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the first answer: %w: %w", ctx.Err(), last)
		case <-time.After(500 * time.Microsecond):
		}
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
