package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/runtime/instance"
)

// maxQueue bounds the requests that wait for an instance. Each holds a connection, some 20 KB.
const maxQueue = 1024

// waitPart is the part of its time, one in so many, for which a request waits for an instance at most. Of its timeout the other half
// is then left to run: a request that starts just before its end would take an instance from another and be killed all the same,
// and the answer, 504, would blame the guest for what is too much load.
const waitPart = 2

var (
	errQueueFull = errors.New("too many requests wait for an instance")
	errQueueLong = errors.New("no instance became free in time")
	errWaitOver  = errors.New("half of MAYFLY_TIMEOUT is over")
)

// waitUntil is when a request that has until end stops waiting for an instance. For one that was redirected within the server, it is
// half of what the guest before left it.
func waitUntil(end time.Time) time.Time {
	now := time.Now()
	return now.Add(end.Sub(now) / waitPart)
}

// queue lets requests have instances in the order they came, up to a limit of instances and as the budget of memory allows.
type queue struct {
	// turn is held by the one request that waits for memory; the others wait for it, in order.
	turn chan struct{}

	mu      sync.Mutex      // guards what follows
	limit   int             // places
	held    int             // of them, those taken; more than there are for a while after resize
	waiting []chan struct{} // each closed when its request has a place
	alive   int             // instances
	ends    uint64          // instances that are gone or did not come about, and changes of what there is for them
	gone    chan struct{}   // closed when ends is counted up; nil when nobody waits for that
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, turn: make(chan struct{}, 1)}
}

// enter takes a place, waiting for one until then and as long as ctx lasts. It returns errQueueFull, or an error that wraps errQueueLong
// and errWaitOver or ctx's cause.
func (q *queue) enter(ctx context.Context, until time.Time) error {
	q.mu.Lock()
	if q.held < q.limit {
		q.held++
		q.mu.Unlock()
		return nil
	}
	if len(q.waiting) == maxQueue {
		q.mu.Unlock()
		return errQueueFull
	}
	place := make(chan struct{})
	q.waiting = append(q.waiting, place)
	q.mu.Unlock()

	ctx, cancel := context.WithDeadlineCause(ctx, until, errWaitOver)
	defer cancel()
	select {
	case <-place:
		if ctx.Err() == nil {
			return nil
		}
		q.leave() // both came in the same moment, and there is too little time left to run
		return tooLong(ctx)
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == place {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return tooLong(ctx)
		}
	}
	// The place came in the same moment: pass it on.
	q.pass()
	return tooLong(ctx)
}

// leave gives a place back.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pass()
}

// pass gives a place to who waits longest, if it still exists. The caller holds mu.
func (q *queue) pass() {
	q.held--
	q.fill()
}

// fill gives the free places to those who wait longest. The caller holds mu.
func (q *queue) fill() {
	for q.held < q.limit && len(q.waiting) > 0 {
		close(q.waiting[0])
		q.waiting = q.waiting[1:]
		q.held++
	}
}

// resize sets how many places there are, after the budget of memory has changed. Who has a place keeps it, who waits may have one now.
func (q *queue) resize(limit int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = limit
	q.fill()
	q.retry()
}

// instantiate calls make until the budget of memory has room, in the order of arrival, until then and as long as ctx lasts.
// When it returned nil there is an instance, and the caller reports its end with ended.
func (q *queue) instantiate(ctx context.Context, until time.Time, make func() error) error {
	if len(q.turn) == 0 { // nobody waits already
		_, err := q.try(make)
		if !errors.Is(err, instance.ErrBudget) {
			return err
		}
	}
	ctx, cancel := context.WithDeadlineCause(ctx, until, errWaitOver)
	defer cancel()
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return tooLong(ctx)
	}
	for {
		gone, err := q.try(make)
		if gone == nil {
			return err
		}
		select {
		case <-gone:
		case <-ctx.Done():
			return tooLong(ctx)
		}
	}
}

// try calls make once. When it failed for want of memory that another instance holds, or is about to, gone is closed as soon as one ends or
// comes to nothing.
func (q *queue) try(make func() error) (gone <-chan struct{}, err error) {
	q.mu.Lock()
	q.alive++ // before it is: who fails meanwhile is to wait for it
	ends := q.ends
	q.mu.Unlock()

	if err = make(); err == nil {
		return nil, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.alive--
	more := q.ends != ends // one has ended since, or there is more memory
	q.retry()              // what make had got of it is free again
	switch {
	case !errors.Is(err, instance.ErrBudget):
		return nil, err
	case more:
		return past, err
	case q.alive > 0:
		return q.next(), err
	}
	return nil, err
}

// past is closed.
var past = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// next returns the channel that is closed when an instance ends. The caller holds mu.
func (q *queue) next() chan struct{} {
	if q.gone == nil {
		q.gone = make(chan struct{})
	}
	return q.gone
}

// ended reports the end of an instance.
func (q *queue) ended() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.alive--
	q.retry()
}

// retry lets who waits for memory try again. The caller holds mu.
func (q *queue) retry() {
	q.ends++
	if q.gone != nil {
		close(q.gone)
		q.gone = nil
	}
}

func tooLong(ctx context.Context) error {
	return fmt.Errorf("%w: %w", errQueueLong, context.Cause(ctx))
}
