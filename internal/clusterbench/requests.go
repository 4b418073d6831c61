package clusterbench

import (
	"context"
	"fmt"
	"time"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

// figWake is the figure of Wake.
const figWake = "first-after-idle"

// modes are the ways to ask of Requests.
var modes = []struct {
	figure, title string
	clients       int
	anew, rate    bool
}{
	{"kept", "one connection", 1, false, false},
	{"anew", "a new connection each", 1, true, false},
	{"rate-8", "8 at once", 8, false, true},
	{"rate-64", "64 at once", 64, false, true},
}

// staticSubject is the client's own cost.
var staticSubject = subject{name: static, title: "fixed answer", port: order.StaticPort}

// wakes asks sidecars whose engines have left, in a pod that has all of them. Those that have no engine are asked in turn with them, when all
// engines are gone.
func (r *run) wakes(ctx context.Context) error {
	const name = "idle"
	if _, err := r.pods.start(ctx, r.pod(spec{name: name, subjects: r.answering(), idle: 0, node: r.node, shared: true, static: true})); err != nil {
		return err
	}
	var o order.Order
	all := append(r.answering(), staticSubject)
	for round := range r.plan.Wakes + 1 {
		for _, s := range rotated(all, round) {
			t := s.turn()
			t.Idle, t.Reach = true, !s.isGuest()
			o.Turns = append(o.Turns, t)
		}
	}
	warm := len(all) // the first round: the kernel has not yet seen what an engine reads
	err := r.api.order(ctx, name, o, func(a order.Answer) {
		if warm--; warm < 0 {
			r.results.figure(Wake, figWake, unitTime, named(all, a.Name)).addTimes(a)
		}
	})
	if err != nil {
		return err
	}
	return r.pods.remove(ctx, name)
}

// requests asks sidecars whose engines are there, in a pod that has all of them and the servers in containers.
func (r *run) requests(ctx context.Context) error {
	const name = "warm"
	if _, err := r.pods.start(ctx, r.pod(spec{name: name, subjects: r.answering(), idle: never, node: r.node, static: true})); err != nil {
		return err
	}
	all := append(r.answering(), staticSubject)
	for i, m := range modes {
		r.progress.Doing(fmt.Sprintf("requests with a warm engine, %d of %d: %s", i+1, len(modes), m.title))
		var o order.Order
		turn := func(s subject, long time.Duration) {
			t := s.turn()
			t.Clients, t.Anew, t.For, t.Brief = m.clients, m.anew, long, m.rate
			o.Turns = append(o.Turns, t)
		}
		for _, s := range all {
			turn(s, r.plan.Warm)
		}
		for round := range r.plan.Rounds {
			for _, s := range rotated(all, round) {
				turn(s, r.plan.Turn)
			}
		}
		warm := len(all)
		err := r.api.order(ctx, name, o, func(a order.Answer) {
			if warm--; warm >= 0 {
				return
			}
			if s := named(all, a.Name); m.rate {
				r.results.figure(Requests, m.figure, unitRate, s).addRate(a)
			} else {
				r.results.figure(Requests, m.figure, unitTime, s).addTimes(a)
			}
		})
		if err != nil {
			return err
		}
	}
	return r.pods.remove(ctx, name)
}

// named is the subject of that name.
func named(all []subject, name string) subject {
	for _, s := range all {
		if s.name == name {
			return s
		}
	}
	return subject{name: name, title: name}
}
