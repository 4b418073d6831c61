package clusterbench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

// figTogether is the figure of Together.
const figTogether = "together"

const (
	// spare is how many pods a node keeps room for.
	spare = 3
	// starting bounds how many pods of the fleet start at once.
	starting = 4
)

// together makes many pods and has one request to each at the same moment, when no engine is there.
func (r *run) together(ctx context.Context) error {
	n, err := r.fitting(ctx)
	if err != nil {
		return err
	}
	some := slices.DeleteFunc(r.answering(), func(s subject) bool { return s.name != "c" && s.name != "js" && s.name != server })
	const conductor = "conductor"
	if _, err := r.pods.start(ctx, r.pod(spec{name: conductor, node: r.node})); err != nil {
		return err
	}
	begin := time.Now()
	addrs, err := r.fleet(ctx, n, some)
	if err != nil {
		return err
	}
	r.note("(f) %d pods on %d node(s), with a main container, %d sidecars of mayfly and a container sidecar each, were Ready %.0f s after the first of them was asked for; %d started at once",
		n, len(r.nodes), len(some)-1, time.Since(begin).Seconds(), starting)
	var told time.Duration
	for round := range r.plan.WakeRounds {
		for _, s := range rotated(some, round) {
			r.progress.Doing(fmt.Sprintf("many pods at the same moment, round %d of %d: %s", round+1, r.plan.WakeRounds, s.title))
			t := s.turn()
			t.Idle, t.Reach = true, !s.isGuest() // which listens when its pod is Ready
			sum := order.Answer{}
			err := r.api.order(ctx, conductor, order.Order{Turns: []order.Turn{t}, Pods: addrs}, func(a order.Answer) {
				sum.Times = append(sum.Times, a.Times...)
				sum.Failed += a.Failed
				if sum.Why == "" {
					sum.Why = a.Why
				}
				told = max(told, a.Told)
			})
			if err != nil {
				return err
			}
			r.results.figure(Together, figTogether, unitTime, s).addTimes(sum)
		}
	}
	r.note("(f) all of them were told to begin within %.1f ms", float64(told.Microseconds())/1000)
	return r.disband(ctx, conductor, n)
}

// fitting is how many pods there may be: not more than were asked for, nor than kubelets take.
func (r *run) fitting(ctx context.Context) (int, error) {
	running, err := r.api.running(ctx)
	if err != nil {
		return 0, err
	}
	room := 0
	for _, n := range r.nodes {
		room += max(0, int(n.Status.Allocatable.Pods().Value())-running[n.Name]-spare)
	}
	if room == 0 {
		return 0, errors.New("the nodes have no room for more pods: kubelet's maxPods is reached")
	}
	if room < r.plan.WakePods {
		r.note("(f) %d pods, not %d: the nodes' kubelets take no more", room, r.plan.WakePods)
	}
	return min(room, r.plan.WakePods), nil
}

// fleet makes the pods, and returns where they take orders.
func (r *run) fleet(ctx context.Context, n int, some []subject) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	addrs := make([]string, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(starting, n) {
		workers.Go(func() {
			for i := range next {
				seen, err := r.pods.start(ctx, r.pod(spec{name: fleetName(i), subjects: some, idle: 0, shared: true}))
				if err != nil {
					cancel(err)
					continue
				}
				addrs[i] = net.JoinHostPort(seen.pod.Status.PodIP, strconv.Itoa(order.Port))
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		r.progress.Doing(fmt.Sprintf("many pods at the same moment: pod %d of %d", i+1, n))
		next <- i
	}
	close(next)
	workers.Wait()
	return addrs, context.Cause(ctx)
}

func fleetName(i int) string { return fmt.Sprintf("together-%d", i) }

// disband removes the pods.
func (r *run) disband(ctx context.Context, conductor string, n int) error {
	errs := make([]error, n+1)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = r.pods.remove(ctx, fleetName(i)) })
	}
	all.Go(func() { errs[n] = r.pods.remove(ctx, conductor) })
	all.Wait()
	return errors.Join(errs...)
}
