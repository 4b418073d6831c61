//go:build linux

package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/integration/load"
	"github.com/mayfly-run/mayfly/integration/peers"
)

// loaded is how many connections a server has when its memory under load is read, and sampled how often that is.
const (
	loaded  = 64
	sampled = 100 * time.Millisecond
)

// rest reads what servers hold that have answered once and are asked nothing.
func (m *measuring) rest(ctx context.Context, component string, lanes []*lane) error {
	if err := sleep(ctx, m.plan.Rest); err != nil {
		return err
	}
	return readMemory(lanes, func(l *lane, now held) {
		m.results.Memory = append(m.results.Memory, &memory{Component: component, Server: l.name, Idle: now})
	})
}

// readMemory reads what servers hold now, of those that are processes.
func readMemory(lanes []*lane, note func(*lane, held)) error {
	for _, l := range lanes {
		if l.process == nil {
			continue
		}
		u, err := l.process.Usage()
		if err != nil {
			return err
		}
		note(l, held{u.Own, u.RSS})
	}
	return nil
}

// busy reads what they hold at most while they are asked, and some time after. No latency is taken from these turns: reading memory
// keeps a process from changing its own.
func (m *measuring) busy(ctx context.Context, component string, lanes []*lane) error {
	for _, l := range lanes {
		if l.process == nil {
			continue
		}
		most, err := peak(ctx, l, m.plan.Turn)
		if err != nil {
			return err
		}
		m.results.memoryOf(component, l.name).Busy = most
	}
	if err := sleep(ctx, m.plan.Rest); err != nil {
		return err
	}
	return readMemory(lanes, func(l *lane, now held) { m.results.memoryOf(component, l.name).After = now })
}

// peak is the most that a server holds while it is asked.
func peak(ctx context.Context, l *lane, long time.Duration) (most held, err error) {
	done := make(chan struct{})
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for {
			var u peers.Usage
			if u, err = l.process.Usage(); err != nil {
				return
			}
			most.Own, most.RSS = max(most.Own, u.Own), max(most.RSS, u.RSS)
			select {
			case <-done:
				return
			case <-time.After(sampled):
			}
		}
	})
	got := load.Run(ctx, loaded, long, l.client)
	close(done)
	sampler.Wait()
	if len(got.Times) == 0 {
		err = errors.Join(err, got.Why)
	}
	return most, err
}

func sleep(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}
