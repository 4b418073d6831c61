package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/runtime/instance"
)

func (q *queue) state() (held, waiting, alive int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held, len(q.waiting), q.alive
}

// far is a time that no test waits for.
func far() time.Time { return time.Now().Add(time.Hour) }

func TestPlacesGoInTheOrderOfArrival(t *testing.T) {
	q := newQueue(1)
	if err := q.enter(t.Context(), far()); err != nil {
		t.Fatal(err)
	}
	var order []int // guarded by the one place
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			if err := q.enter(t.Context(), far()); err != nil {
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
	if err := q.enter(t.Context(), far()); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("no more")
	var wait sync.WaitGroup
	for range 200 {
		ctx, cancel := context.WithCancelCause(t.Context())
		wait.Go(func() {
			switch err := q.enter(ctx, far()); {
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

func TestWaitingEndsInTime(t *testing.T) {
	q, p := newQueue(1), &pool{free: 1}
	if err := q.enter(t.Context(), far()); err != nil {
		t.Fatal(err)
	}
	if err := q.instantiate(t.Context(), far(), p.make); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		wait func(until time.Time) error
	}{
		{"for a place", func(until time.Time) error { return q.enter(t.Context(), until) }},
		{"for memory", func(until time.Time) error { return q.instantiate(t.Context(), until, p.make) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			until := time.Now().Add(20 * time.Millisecond)
			if err := tc.wait(until); !errors.Is(err, errQueueLong) || !errors.Is(err, errWaitOver) || time.Now().Before(until) {
				t.Errorf("got %v", err)
			}
		})
	}
	q.ended()
	q.leave()
}

func TestWaitingIsForHalfOfWhatIsLeft(t *testing.T) {
	before := time.Now()
	until := waitUntil(before.Add(time.Hour))
	if d := until.Sub(before); d < 30*time.Minute || d > 31*time.Minute {
		t.Errorf("of an hour: %s", d)
	}
}

// pool hands out memory for so many instances.
type pool struct {
	mu   sync.Mutex
	free int
}

func (p *pool) make() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == 0 {
		return fmt.Errorf("make: %w", instance.ErrBudget)
	}
	p.free--
	return nil
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
			if err := q.instantiate(ctx, far(), p.make); err != nil {
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
	if err := q.instantiate(t.Context(), far(), p.make); !errors.Is(err, instance.ErrBudget) {
		t.Errorf("got %v", err)
	}
}

func TestMemoryOfOneThatFailedIsNotWaitedFor(t *testing.T) {
	for name, failure := range map[string]error{"for want of memory": instance.ErrBudget, "for another reason": errors.New("broken")} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(2)
			other, fail := make(chan struct{}), make(chan struct{})
			var wait sync.WaitGroup
			wait.Go(func() {
				_, _ = q.try(func() error { // it has taken a part, and there is no more
					close(other)
					<-fail
					return failure
				})
			})
			<-other
			var room atomic.Bool
			wait.Go(func() {
				err := q.instantiate(t.Context(), time.Now().Add(10*time.Second), func() error {
					if !room.Load() {
						return instance.ErrBudget
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
			eventually(t, "it waits", func() bool {
				q.mu.Lock()
				defer q.mu.Unlock()
				return q.gone != nil
			})
			room.Store(true)
			close(fail)
			wait.Wait()
		})
	}
}

func TestMemoryIsNotWaitedForBeyondTheContext(t *testing.T) {
	q, p := newQueue(10), &pool{free: 1}
	if err := q.instantiate(t.Context(), far(), p.make); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := q.instantiate(ctx, far(), p.make); !errors.Is(err, errQueueLong) {
		t.Errorf("got %v", err)
	}
	q.ended()
}

func TestNewPlacesGoToThoseWhoWait(t *testing.T) {
	q := newQueue(1)
	enter := func() {
		if err := q.enter(t.Context(), far()); err != nil {
			t.Error(err)
		}
	}
	enter()
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(enter)
	}
	eventually(t, "three wait", func() bool { _, waiting, _ := q.state(); return waiting == 3 })
	q.resize(3)
	eventually(t, "two have a place", func() bool { held, waiting, _ := q.state(); return held == 3 && waiting == 1 })
	q.resize(2)
	q.leave() // of the three that have one, the first to leave takes it along
	if held, waiting, _ := q.state(); held != 2 || waiting != 1 {
		t.Errorf("%d places held, %d wait: want 2 and 1", held, waiting)
	}
	q.leave()
	wait.Wait()
	q.leave()
	q.leave()
	if held, waiting, _ := q.state(); held != 0 || waiting != 0 {
		t.Errorf("%d places held, %d wait", held, waiting)
	}
}

func TestMemoryThatIsAddedIsNoticed(t *testing.T) {
	q, p := newQueue(10), &pool{free: 1}
	if err := q.instantiate(t.Context(), far(), p.make); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := q.instantiate(t.Context(), far(), p.make); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "it waits for memory", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.gone != nil })
	p.give()
	q.resize(10)
	wait.Wait()
}
