//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/load"
	"github.com/mayfly-run/mayfly/integration/peers"
	"github.com/mayfly-run/mayfly/internal/figures"
)

// startTime is how long a server may take from its start to its first answer.
const startTime = 4 * time.Minute

// first measures how long it takes from the start of a server's program to its first answer. The ways to start take turns too.
func (m *measuring) first(ctx context.Context, e lab.Example) error {
	type way struct {
		start
		file  string
		times figures.Times
		spent time.Duration
	}
	var ways []*way
	for _, s := range m.fleet.starts {
		if s.server.Cannot != nil && s.server.Cannot(e.Name) != "" {
			continue // that was told when it was to be asked
		}
		file, err := s.prepare(ctx, e)
		if err != nil {
			m.results.leaveOut("%s with %s: %v", s.name, e.Name, err)
			continue
		}
		ways = append(ways, &way{start: s, file: file})
	}
	for range m.plan.Starts {
		for _, w := range ways {
			if w.spent > m.plan.Patience {
				continue
			}
			took, err := w.once(ctx, w.file, e.Name, m.logs)
			if err != nil {
				return fmt.Errorf("start %s with %s: %w", w.name, e.Name, err)
			}
			w.times = append(w.times, took)
			w.spent += took
		}
	}
	for _, w := range ways {
		var values []float64
		for _, t := range w.times {
			values = append(values, figures.Microseconds(t))
		}
		m.results.First = append(m.results.First, firstRequest{e.Name, w.name, w.what, figures.SpreadOf(values), len(values)})
	}
	return nil
}

// once starts the server, waits for its first answer, and ends it.
func (s start) once(ctx context.Context, file, component, logs string) (time.Duration, error) {
	if err := s.anew(); err != nil {
		return 0, err
	}
	p, err := s.server.Launch(peers.Job{Component: component + "-start", File: file, Logs: logs})
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-p.Ended():
			cancel() // nobody will answer
		case <-ctx.Done():
		}
	})
	defer watch.Wait()
	defer cancel()
	err = load.First(ctx, target(p.Addr).Client())
	return time.Since(p.Began), err
}
