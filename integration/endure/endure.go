//go:build linux

// Package endure measures what very many requests, one after another, leave
// behind in an engine, and what its collector does meanwhile.
// integration/cmd/endure prints what it finds.
package endure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/load"
	"github.com/mayfly-run/mayfly/internal/figures"
)

const (
	// settle is how long after the last request memory is measured: an engine
	// gives back what it can when it has been quiet for a while.
	settle = 6 * time.Second
	// round is how long clients ask before it is looked whether that is enough.
	round = time.Second
	// patience is how long one answer may take.
	patience = 30 * time.Second
)

// Options says what is asked.
type Options struct {
	bare.Options
	Path     string
	Clients  int
	Requests int
}

// Result is what a run has found.
type Result struct {
	Requests int
	Rate     float64       // requests in a second
	Times    figures.Times // of each
	CPU      time.Duration // of the engine, for one
	Idle     lab.Memory    // of an engine that has answered nothing
	First    lab.Memory    // at rest, when a tenth of the requests is answered
	Busy     lab.Memory    // at the end of the last request
	Last     lab.Memory    // at rest again
	Pauses   figures.Times // in which a collection stopped the world
	Cycles   int           // of the collector
}

// Measure asks an engine, a tenth of the requests first.
func Measure(ctx context.Context, o Options) (*Result, error) {
	o.Env = append(slices.Clone(o.Env), "GODEBUG=gctrace=1")
	e, err := bare.Start(o.Options)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	err = r.measure(ctx, e, o)
	stderr, err2 := e.Stop()
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	r.Pauses, r.Cycles = bare.Pauses(stderr)
	return r, nil
}

func (r *Result) measure(ctx context.Context, e *bare.Engine, o Options) (err error) {
	if r.Idle, err = atRest(ctx, e); err != nil {
		return err
	}
	if err := r.ask(ctx, e, o, o.Requests/10); err != nil {
		return err
	}
	if r.First, err = atRest(ctx, e); err != nil {
		return err
	}
	if err := r.ask(ctx, e, o, o.Requests); err != nil {
		return err
	}
	if r.Busy, err = e.Memory(); err != nil {
		return err
	}
	r.Last, err = atRest(ctx, e)
	return err
}

// ask asks until there were so many answers.
func (r *Result) ask(ctx context.Context, e *bare.Engine, o Options, n int) error {
	target := load.Target{Addr: e.Addr, Path: o.Path, Patience: patience, Check: func([]byte) error { return nil }}
	r.Requests, r.Times = 0, nil
	var spent time.Duration
	before, err := e.CPU()
	if err != nil {
		return err
	}
	for r.Requests < n {
		part := load.Run(ctx, o.Clients, round, target.Client)
		if part.Failed > 0 {
			return fmt.Errorf("%d requests failed: %w", part.Failed, part.Why)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r.Requests += len(part.Times)
		r.Times = append(r.Times, part.Times...)
		spent += part.Spent
	}
	r.Rate = float64(r.Requests) / spent.Seconds()
	after, err := e.CPU()
	r.CPU = (after - before) / time.Duration(max(r.Requests, 1))
	return err
}

func atRest(ctx context.Context, e *bare.Engine) (lab.Memory, error) {
	select {
	case <-ctx.Done():
		return lab.Memory{}, ctx.Err()
	case <-time.After(settle):
		return e.Memory()
	}
}
