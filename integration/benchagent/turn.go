//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/integration/load"
	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
	"github.com/mayfly-run/mayfly/internal/figures"
)

const (
	// patience is how long an answer may take.
	patience = 60 * time.Second
	// maxClients bounds what an order asks for.
	maxClients = 1024
)

var errAnswer = errors.New("this is not the answer")

// target is whom the turn asks.
func target(t order.Turn) *load.Target {
	want := []byte(t.Want)
	return &load.Target{Addr: fmt.Sprintf("127.0.0.1:%d", t.Port), Path: "/", Patience: patience, Anew: t.Anew, Check: func(body []byte) error {
		if !bytes.Contains(body, want) {
			return errAnswer
		}
		return nil
	}}
}

// do does one turn. What fails is in the answer.
func do(ctx context.Context, t order.Turn) order.Answer {
	a := order.Answer{Name: t.Name}
	clients := min(max(t.Clients, 1), maxClients)
	var r load.Result
	if t.For > 0 {
		r = load.Run(ctx, clients, t.For, target(t).Client)
	} else {
		r = once(ctx, clients, target(t).Client)
	}
	a.N, a.Spent, a.CPU, a.Failed = len(r.Times), r.Spent, r.CPU, r.Failed
	if r.Why != nil {
		a.Why = r.Why.Error()
	}
	if t.Brief {
		a.Distribution = figures.Distribution(r.Times)
	} else {
		a.Times = r.Times
	}
	return a
}

// once lets each client ask once, on a connection that nobody has used.
func once(ctx context.Context, clients int, client func() load.Asker) (sum load.Result) {
	results := make([]load.Result, clients)
	var all sync.WaitGroup
	begin := time.Now()
	for i := range results {
		all.Go(func() {
			c, r := client(), &results[i]
			took, err := c.Ask(ctx)
			if err = errors.Join(err, c.Close()); err != nil {
				*r = load.Result{Failed: 1, Why: err}
				return
			}
			r.Times = figures.Times{took}
		})
	}
	all.Wait()
	sum.Spent = time.Since(begin)
	for _, r := range results {
		sum.Times = append(sum.Times, r.Times...)
		sum.Failed += r.Failed
		if sum.Why == nil {
			sum.Why = r.Why
		}
	}
	return sum
}
