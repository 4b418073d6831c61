package clusterbench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// sight is what the watch has seen of a pod, and when.
type sight struct {
	pod  *corev1.Pod // as it was last
	gone bool
	// The moments when it was first seen to be so; zero when it was not.
	scheduled, sandbox, ready time.Time
}

// pods are those of the namespace, as a watch shows them.
type pods struct {
	api *api
	end context.CancelFunc
	all sync.WaitGroup

	mu      sync.Mutex // guards what follows
	seen    map[string]*sight
	changed chan struct{} // closed and made anew with each change
	err     error         // the watch is over
}

// watchPods begins to watch. The caller ends it with stop.
func watchPods(ctx context.Context, a *api) *pods {
	ctx, cancel := context.WithCancel(ctx)
	p := &pods{api: a, end: cancel, seen: map[string]*sight{}, changed: make(chan struct{})}
	p.all.Go(func() {
		for {
			if err := p.watch(ctx); err != nil || ctx.Err() != nil {
				p.change(func() { p.err = errors.Join(err, ctx.Err()) })
				return
			}
		}
	})
	return p
}

func (p *pods) stop() {
	p.end()
	p.all.Wait()
}

// watch lists the pods and watches from there on, until the API server ends it, as it does every some minutes.
func (p *pods) watch(ctx context.Context) error {
	var list corev1.PodList
	if err := p.api.core.Get().Namespace(p.api.namespace).Resource("pods").Do(ctx).Into(&list); err != nil {
		return fmt.Errorf("list the pods: %w", err)
	}
	p.change(func() {
		for _, s := range p.seen {
			s.gone = true // unless it is in the list
		}
		for i := range list.Items {
			p.see(&list.Items[i], false)
		}
	})
	w, err := p.api.core.Get().Namespace(p.api.namespace).Resource("pods").
		Param("watch", "true").Param("resourceVersion", list.ResourceVersion).Watch(ctx)
	if err != nil {
		return fmt.Errorf("watch the pods: %w", err)
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		pod, ok := e.Object.(*corev1.Pod)
		if e.Type == watch.Error {
			if err := apierrors.FromObject(e.Object); !apierrors.IsGone(err) && !apierrors.IsResourceExpired(err) {
				return fmt.Errorf("watch the pods: %w", err)
			}
			return nil // and begins anew
		}
		if ok {
			p.change(func() { p.see(pod, e.Type == watch.Deleted) })
		}
	}
	return nil
}

// change changes something and wakes who waits.
func (p *pods) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
	close(p.changed)
	p.changed = make(chan struct{})
}

// see notes what a pod is like. mu is held.
func (p *pods) see(pod *corev1.Pod, gone bool) {
	now := time.Now()
	s := p.seen[pod.Name]
	if s == nil {
		s = &sight{}
		p.seen[pod.Name] = s
	}
	s.pod, s.gone = pod, gone
	for _, c := range []struct {
		kind corev1.PodConditionType
		at   *time.Time
	}{{corev1.PodScheduled, &s.scheduled}, {corev1.PodReadyToStartContainers, &s.sandbox}, {corev1.PodReady, &s.ready}} {
		if c.at.IsZero() && is(pod, c.kind) {
			*c.at = now
		}
	}
}

func is(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// until waits until done says so of what was seen of a pod.
func (p *pods) until(ctx context.Context, name string, done func(sight) (bool, error)) (sight, error) {
	for {
		p.mu.Lock()
		changed, err, s := p.changed, p.err, sight{}
		if seen := p.seen[name]; seen != nil {
			s = *seen
		}
		p.mu.Unlock()
		if err != nil {
			return s, err
		}
		if ok, err := done(s); ok || err != nil {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-changed:
		}
	}
}

const (
	// startTime is how long a pod may take to be Ready, and leaveTime to be gone. The first of an image may be pulled, and compiled.
	startTime = 4 * time.Minute
	leaveTime = 2 * time.Minute
	// look is how often events are read while a pod does not become Ready: what is wrong with a sandbox stands only there.
	look = 5 * time.Second
)

// create makes a pod, and returns when that was asked for.
func (p *pods) create(ctx context.Context, pod *corev1.Pod) (time.Time, error) {
	begin := time.Now()
	if err := p.api.core.Post().Namespace(p.api.namespace).Resource("pods").Body(pod).Do(ctx).Error(); err != nil {
		return begin, fmt.Errorf("create the pod %s: %w", pod.Name, err)
	}
	return begin, nil
}

// ready waits until a pod is Ready. What cannot become so is an error that says why.
func (p *pods) ready(ctx context.Context, name string) (sight, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		round, stop := context.WithTimeout(ctx, look)
		s, err := p.until(round, name, func(s sight) (bool, error) {
			if s.pod == nil {
				return false, nil
			}
			if s.gone {
				return false, fmt.Errorf("the pod %s was deleted by somebody", name)
			}
			return !s.ready.IsZero() && is(s.pod, corev1.PodReady), wrong(s.pod)
		})
		stop()
		if errors.Is(err, ErrCannotStart) {
			return s, errors.Join(err, p.api.lastWords(ctx, s.pod))
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return s, err
		}
		if err := p.api.wrongSandbox(ctx, name); err != nil {
			return s, err
		}
		if ctx.Err() != nil {
			return s, fmt.Errorf("the pod %s is not Ready after %v: %s", name, startTime, state(s.pod))
		}
	}
}

// start makes a pod and waits until it is Ready.
func (p *pods) start(ctx context.Context, pod *corev1.Pod) (sight, error) {
	if _, err := p.create(ctx, pod); err != nil {
		return sight{}, err
	}
	return p.ready(ctx, pod.Name)
}

// remove deletes a pod and waits until it is gone.
func (p *pods) remove(ctx context.Context, name string) error {
	grace := int64(1)
	err := p.api.core.Delete().Namespace(p.api.namespace).Resource("pods").Name(name).Body(&metav1.DeleteOptions{GracePeriodSeconds: &grace}).Do(ctx).Error()
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Code == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete the pod %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	if _, err := p.until(ctx, name, func(s sight) (bool, error) { return s.gone, nil }); err != nil {
		return fmt.Errorf("wait for the end of pod %s: %w", name, err)
	}
	return nil
}
