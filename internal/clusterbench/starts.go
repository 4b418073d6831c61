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

// starts starts pods of all kinds in turns. Each is alone: the one before is gone.
func (r *run) starts(ctx context.Context) error {
	k := &clock{read: func(ctx context.Context) (map[string]operation, error) { return r.api.operations(ctx, r.node) }}
	err := r.startAll(ctx, k)
	if slices.Contains(r.options.Parts, Starts) {
		r.results.LeftOut = append(r.results.LeftOut, k.leftOut()...)
	} else {
		r.results.Figures = slices.DeleteFunc(r.results.Figures, func(f *figure) bool { return f.Part == Starts })
	}
	return err
}

func (r *run) startAll(ctx context.Context, k *clock) error {
	for round := range r.plan.StartRounds {
		for _, s := range rotated(r.subjects, round) {
			r.progress.Doing(fmt.Sprintf("pods that start, round %d of %d: %s", round+1, r.plan.StartRounds, s.title))
			if err := r.startOne(ctx, s, round, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// startOne starts a pod, asks its sidecar for the first time, and removes the pod.
func (r *run) startOne(ctx context.Context, s subject, round int, k *clock) error {
	name := fmt.Sprintf("start-%s-%d", s.name, round)
	pod := r.pod(spec{name: name, subjects: []subject{s}, idle: never, node: r.node})
	before := k.now(ctx)
	begin, err := r.pods.create(ctx, pod)
	if err != nil {
		return err
	}
	seen, err := r.pods.ready(ctx, name)
	if err != nil {
		return err
	}
	add := func(figure string, from, to time.Time) {
		f := r.results.figure(Starts, figure, unitTime, s)
		if from.IsZero() || to.IsZero() {
			f.add()
		} else {
			f.add(figures.Microseconds(to.Sub(from)))
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
	took := k.took(before, k.now(ctx), len(pod.Spec.Containers))
	for _, o := range operations {
		r.results.figure(Starts, o.figure, unitTime, s).addSome(figures.Microseconds(took[o.name]))
	}
	return r.pods.remove(ctx, name)
}
