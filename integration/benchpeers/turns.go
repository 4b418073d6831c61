//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/load"
	"github.com/mayfly-run/mayfly/integration/peers"
	"github.com/mayfly-run/mayfly/internal/figures"
)

// patience is how long an answer may take.
const patience = 30 * time.Second

// measuring is a run of all.
type measuring struct {
	plan     plan
	fleet    *fleet
	dir      string
	logs     string
	progress *lab.Progress
	results  *results
}

// enough is how many turns' time a server may take for its turns with so many connections. A turn ends when all have their answer, and where
// each takes seconds it lasts as long as many: such a server gets fewer, at least one.
const enough = 8

// lane is a server that is asked.
type lane struct {
	name    string
	process *peers.Process // nil where there is one for each request
	client  func() load.Asker
	slow    bool // it was not ready in time: it is not warmed up again
}

// component measures all servers with one component.
func (m *measuring) component(ctx context.Context, e lab.Example) (err error) {
	title := func(what string) string { return fmt.Sprintf("%s: %s", e.Name, what) }
	var lanes []*lane
	defer func() {
		for _, l := range lanes {
			if l.process != nil {
				l.process.Stop()
			}
		}
	}()
	err = m.progress.Do(title("start the servers"), func() (err error) {
		lanes, err = m.start(ctx, e)
		return err
	})
	if err != nil {
		return err
	}
	if err := m.progress.Do(title("memory at rest"), func() error { return m.rest(ctx, e.Name, lanes) }); err != nil {
		return err
	}
	for _, n := range m.plan.Connections {
		what := title(fmt.Sprintf("%d at once, %d rounds of %d servers", n, m.plan.Rounds, len(lanes)))
		if err := m.progress.Do(what, func() error { return m.rounds(ctx, e.Name, n, lanes) }); err != nil {
			return err
		}
	}
	if err := m.progress.Do(title("memory under load"), func() error { return m.busy(ctx, e.Name, lanes) }); err != nil {
		return err
	}
	return m.progress.Do(title("first requests"), func() error { return m.first(ctx, e) })
}

// start starts every server that can serve the component, and asks it once.
func (m *measuring) start(ctx context.Context, e lab.Example) (lanes []*lane, err error) {
	for _, k := range m.fleet.of(e.Name, m.results.leaveOut) {
		p, err := m.startOne(ctx, k, e)
		if err == nil {
			l := &lane{name: k.Name, process: p, client: target(p.Addr).Client}
			if _, err = l.asked(ctx); err == nil {
				lanes = append(lanes, l)
				continue
			}
			p.Stop()
		}
		if k.Name == nameMayfly || ctx.Err() != nil {
			return lanes, err
		}
		m.results.leaveOut("%s with %s: %v", k.Name, e.Name, err)
	}
	if m.fleet.each && e.Name == "go" {
		lanes = append(lanes, &lane{name: nameEach, client: m.containers()})
	}
	return lanes, nil
}

// startOne starts a server with what was compiled before: that is what a node has, and a compiler in the server's process would leave its
// memory there.
func (m *measuring) startOne(ctx context.Context, k kind, e lab.Example) (*peers.Process, error) {
	file, err := k.prepare(ctx, e)
	if err != nil {
		return nil, err
	}
	return k.Start(ctx, peers.Job{Component: e.Name, File: file, Logs: m.logs})
}

// asked asks once.
func (l *lane) asked(ctx context.Context) (took time.Duration, err error) {
	c := l.client()
	if err := c.Open(ctx); err != nil {
		return 0, errors.Join(err, c.Close())
	}
	took, err = c.Ask(ctx)
	return took, errors.Join(err, c.Close())
}

// target is the question of every component that tells the time.
func target(addr string) *load.Target {
	return &load.Target{Addr: addr, Path: "/", Patience: patience, Check: lab.TellsTheTime}
}

// rounds lets the servers take turns with so many connections each.
func (m *measuring) rounds(ctx context.Context, component string, connections int, lanes []*lane) error {
	all := make([]*requests, len(lanes))
	for i, l := range lanes {
		all[i] = &requests{Component: component, Connections: connections, Server: l.name}
		if !l.slow {
			load.Run(ctx, connections, m.plan.Warm, l.client)
		}
	}
	for round := range m.plan.Rounds {
		// Whoever comes first is another in each round, and so is who comes after whom that has garbage left to collect.
		for i := range lanes {
			i = (i + round) % len(lanes)
			if all[i].spent > enough*m.plan.Turn {
				lanes[i].slow = true
				continue
			}
			if err := all[i].take(ctx, lanes[i], connections, m.plan.Turn); err != nil {
				return err
			}
		}
	}
	for _, r := range all {
		r.sum()
		if r.Failed*100 <= r.N {
			m.results.Requests = append(m.results.Requests, r)
			continue
		}
		err := fmt.Errorf("%s with %s, %d at once: %d of %d answers were wrong: %s", r.Server, component, connections, r.Failed, r.Failed+r.N, r.Why)
		if r.Server == nameMayfly {
			return err
		}
		m.results.leaveOut("%v", err) // a fast mistake is no answer
	}
	return ctx.Err()
}

// take adds one turn.
func (r *requests) take(ctx context.Context, l *lane, connections int, long time.Duration) error {
	used, err := l.cpu()
	if err != nil {
		return err
	}
	got := load.Run(ctx, connections, long, l.client)
	now, err := l.cpu()
	if err != nil {
		return err
	}
	r.serverCPU += now - used
	r.clientCPU += got.CPU
	r.spent += got.Spent
	r.times = append(r.times, got.Times...)
	r.Failed += got.Failed
	if got.Why != nil && r.Why == "" {
		r.Why = got.Why.Error()
	}
	r.Rounds = append(r.Rounds, round{figures.Microseconds(got.Times.Quantile(0.5)), figures.Microseconds(got.Times.Quantile(0.99)), got.Rate()})
	return ctx.Err()
}

// cpu is what the server has used; where there is one for each request it is not known.
func (l *lane) cpu() (time.Duration, error) {
	if l.process == nil {
		return 0, nil
	}
	return l.process.CPU()
}

// sum makes the figures of all rounds.
func (r *requests) sum() {
	r.N = len(r.times)
	if r.N == 0 {
		return
	}
	sorted := r.times.Sorted()
	r.P50 = figures.Microseconds(sorted.Quantile(0.5))
	if r.N >= 100 {
		r.P99 = figures.Microseconds(sorted.Quantile(0.99))
	}
	if r.N >= 1000 {
		r.P999 = figures.Microseconds(sorted.Quantile(0.999))
	}
	r.Distribution = figures.Distribution(sorted)
	var rates []float64
	for _, turn := range r.Rounds {
		rates = append(rates, turn.Rate)
	}
	r.Rate = figures.SpreadOf(rates)
	if r.serverCPU > 0 {
		r.ServerCPU = figures.Microseconds(r.serverCPU) / float64(r.N)
	}
	r.ClientCPU = figures.Microseconds(r.clientCPU) / float64(r.N)
}
