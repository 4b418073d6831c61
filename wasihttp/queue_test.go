package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/runtime/instance"
)

func (q *queue) state() (held, waiting, alive int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held, len(q.waiting), q.alive
}

func TestPlacesGoInTheOrderOfArrival(t *testing.T) {
	q := newQueue(1)
	if err := q.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	var order []int // guarded by the one place
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			if err := q.enter(t.Context()); err != nil {
				t.Error(err)
			}
			order = append(order, i)
			q.leave()
		})
		eventually(t, "it waits", func() bool { _, waiting, _ := q.state(); return waiting == i+1 })
	}
	q.leave()
	wait.Wait()
	if !slices.IsSorted(order) || len(order) != 20 {
		t.Errorf("served in the order %v", order)
	}
	if held, waiting, _ := q.state(); held != 0 || waiting != 0 {
		t.Errorf("%d places held, %d wait", held, waiting)
	}
}

func TestWhoStopsWaitingTakesNoPlace(t *testing.T) {
	q := newQueue(1)
	if err := q.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("no more")
	var wait sync.WaitGroup
	for range 200 {
		ctx, cancel := context.WithCancelCause(t.Context())
		wait.Go(func() {
			switch err := q.enter(ctx); {
			case err == nil:
				q.leave()
			case !errors.Is(err, errQueueLong) || !errors.Is(err, cause):
				t.Errorf("got %v", err)
			}
		})
		wait.Go(func() { cancel(cause) })
	}
	q.leave() // places and ends of waiting meet
	wait.Wait()
	if held, waiting, _ := q.state(); held != 0 || waiting != 0 {
		t.Errorf("%d places held, %d wait", held, waiting)
	}
}

// pool hands out memory for so many instances.
type pool struct {
	mu   sync.Mutex
	free int
}

func (p *pool) make() (*instance.Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == 0 {
		return nil, fmt.Errorf("make: %w", instance.ErrBudget)
	}
	p.free--
	return nil, nil
}

func (p *pool) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free++
}

func TestMemoryIsWaitedFor(t *testing.T) {
	q, p := newQueue(1000), &pool{free: 3}
	var wait sync.WaitGroup
	for range 300 {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, err := q.instantiate(ctx, p.make); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(100 * time.Microsecond)
			p.give()
			q.ended()
		})
	}
	wait.Wait()
	if _, _, alive := q.state(); alive != 0 || len(q.turn) != 0 {
		t.Errorf("%d alive, %d have the turn", alive, len(q.turn))
	}
}

func TestMemoryThatNobodyHoldsIsNotWaitedFor(t *testing.T) {
	q, p := newQueue(10), &pool{}
	if _, err := q.instantiate(t.Context(), p.make); !errors.Is(err, instance.ErrBudget) {
		t.Errorf("got %v", err)
	}
}

func TestMemoryIsNotWaitedForBeyondTheContext(t *testing.T) {
	q, p := newQueue(10), &pool{free: 1}
	if _, err := q.instantiate(t.Context(), p.make); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := q.instantiate(ctx, p.make); !errors.Is(err, errQueueLong) {
		t.Errorf("got %v", err)
	}
	q.ended()
}
