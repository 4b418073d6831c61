package clusterbench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mayfly-run/mayfly/internal/figures"
)

// The names of figures of Starts and First.
const (
	figReady     = "ready"
	figScheduled = "scheduled"
	figSandbox   = "sandbox"
	figRest      = "containers"
	figFirst     = "first-request"
)

// operations are what a kubelet asks of containerd while a pod starts, and what figures call them.
var operations = []struct{ name, figure string }{
	{"run_podsandbox", "kubelet-sandbox"}, {"create_container", "kubelet-create"}, {"start_container", "kubelet-start"},
}

// starts starts pods of all kinds in turns. Each is alone: the one before is gone.
func (r *run) starts(ctx context.Context) error {
	for round := range r.plan.StartRounds {
		for _, s := range rotated(r.subjects, round) {
			r.progress.Doing(fmt.Sprintf("pods that start, round %d of %d: %s", round+1, r.plan.StartRounds, s.title))
			if err := r.startOne(ctx, s, round); err != nil {
				return err
			}
		}
	}
	if !slices.Contains(r.options.Parts, Starts) {
		r.results.Figures = slices.DeleteFunc(r.results.Figures, func(f *figure) bool { return f.Part == Starts })
	}
	return nil
}

// startOne starts a pod, asks its sidecar for the first time, and removes the pod.
func (r *run) startOne(ctx context.Context, s subject, round int) error {
	name := fmt.Sprintf("start-%s-%d", s.name, round)
	before, err := r.api.operations(ctx, r.node)
	if err != nil && round == 0 {
		r.leaveOut("what kubelet's metrics tell of the starts: %v", err)
	}
	begin, err := r.pods.create(ctx, r.pod(spec{name: name, subjects: []subject{s}, idle: never, node: r.node}))
	if err != nil {
		return err
	}
	seen, err := r.pods.ready(ctx, name)
	if err != nil {
		return err
	}
	add := func(figure string, from, to time.Time) {
		if !from.IsZero() && !to.IsZero() {
			r.results.figure(Starts, figure, unitTime, s).add(figures.Microseconds(to.Sub(from)))
		}
	}
	add(figReady, begin, seen.ready)
	add(figScheduled, begin, seen.scheduled)
	add(figSandbox, seen.scheduled, seen.sandbox)
	add(figRest, seen.sandbox, seen.ready)
	if s.image != nil && slices.Contains(r.options.Parts, First) {
		a, err := r.api.one(ctx, name, s.turn())
		if err != nil {
			return err
		}
		r.results.figure(First, figFirst, unitTime, s).addTimes(a)
	}
	if before != nil {
		after, err := r.api.operations(ctx, r.node)
		if err != nil {
			return err
		}
		for _, o := range operations {
			if took := after[o.name].since(before[o.name]); took > 0 {
				r.results.figure(Starts, o.figure, unitTime, s).add(figures.Microseconds(took))
			}
		}
	}
	return r.pods.remove(ctx, name)
}
