//go:build linux

// Package finish ends the sidecars of a pod whose main containers are done and do not come back, so that a Job's pod completes.
//
// To kubelet, a plain sidecar is a container like any other, and a pod has run to its end when all have. The task API tells neither whose pod it
// is nor which containers it will have; so once a container has ended beside a sidecar, containerd and kubelet are asked for [Facts].
// A pod where none has ended makes no question, no timer and no goroutine.
//
//	a container ended ──linger──▶ facts ──▶ no Job's pod: nothing, for good
//	                                   ├──▶ a main container runs or is yet to come: nothing, until it has ended
//	                                   └──▶ all are done ──linger──▶ the sidecars are ended
//
// Each change in between starts this anew. Sidecars that kubelet starts again are ended again.
package finish

import (
	"context"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
)

const (
	// linger is how long main containers are done before they are taken to be.
	linger = 3 * time.Second
	// failedLinger is it where one has failed: where kubelet starts it again, it does so within a second or two, or more on a busy node.
	failedLinger = 6 * time.Second
	// longLinger is it where one came back before when it had ended as now: kubelet waits up to five minutes then.
	longLinger = 6 * time.Minute
	// Facts that could not be learnt are asked for again, after a doubling delay.
	firstRetry = 3 * time.Second
	maxRetry   = time.Minute
)

// Facts are what others know of the pod.
type Facts struct {
	// Job says that the pod is a Job's.
	Job bool
	// Containers are the names of those that the pod will have, without init containers that end before others start; nil when
	// nobody tells.
	Containers []string
}

// Kind is what a container is.
type Kind string

// The kinds of containers.
const (
	Linux    Kind = "linux"
	Starting Kind = "starting" // a sidecar that has not said yet which of the following it is
	Server   Kind = "server"   // a sidecar that answers others, for as long as there are any
	Command  Kind = "command"  // a sidecar that runs to its end: work like a Linux container's
)

// Outside are the parts of the shim that a pod needs.
type Outside struct {
	// Ask learns the facts. An error is worth another attempt later.
	Ask func(ctx context.Context) (Facts, error)
	// End ends a sidecar and returns when it has ended; with a status that is not 0 where failed is set.
	End func(ctx context.Context, id string, failed bool)
}

// Pod is the containers of one pod, as far as it matters when they end. A nil Pod's sidecars are left to kubelet.
type Pod struct {
	rule    config.ExitWithMain
	outside Outside

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu         sync.Mutex // guards what follows
	containers map[string]*container
	sidecars   bool          // there is one, or has been
	facts      *Facts        // nil until they are known
	last       time.Time     // when a container came or ended
	news       chan struct{} // closed when one does
	pursuing   bool          // there is a goroutine at it
}

// container is the latest of its name.
type container struct {
	id    string
	kind  Kind
	ended bool
	code  uint32
	told  bool // to end
	// beside says that it was there, not ended, at some time when the pod had a sidecar.
	beside bool
	// What containers of this name have come back from.
	returnsDone, returnsFailed bool
}

// NewPod returns a pod without containers, nil for one whose sidecars are left to kubelet. The caller must Close it; it does nothing more
// after the end of ctx, which is what Ask and End are given.
func NewPod(ctx context.Context, rule config.ExitWithMain, outside Outside) *Pod {
	if rule.Rule == config.ExitNever {
		return nil
	}
	p := &Pod{rule: rule, outside: outside, containers: map[string]*container{}, news: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(ctx)
	return p
}

// Created says that a container is about to be made, perhaps in place of one that ended.
func (p *Pod) Created(id, name string, kind Kind) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &container{id: id, kind: kind}
	if before := p.containers[name]; before != nil {
		c.returnsDone, c.returnsFailed = before.returnsDone, before.returnsFailed
		c.returnsDone = c.returnsDone || before.ended && before.code == 0
		c.returnsFailed = c.returnsFailed || before.ended && before.code != 0
	}
	p.containers[name] = c
	if kind != Linux && !p.sidecars {
		p.sidecars = true
		for _, other := range p.containers {
			other.beside = !other.ended
		}
	}
	c.beside = p.sidecars
	p.changed()
}

// Started says what a sidecar turned out to be.
func (p *Pod) Started(id string, kind Kind) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.find(id); c != nil {
		c.kind = kind
		p.pursue()
	}
}

// Stopped says that somebody else is ending the container.
func (p *Pod) Stopped(id string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.find(id); c != nil {
		c.told = true
	}
}

// Ended says that a container has ended, or never began. The first word counts.
func (p *Pod) Ended(id string, code uint32) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.find(id); c != nil && !c.ended {
		c.ended, c.code = true, code
		p.changed()
	}
}

// Close waits for what is under way, which it breaks off.
func (p *Pod) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.cancel() // nobody who holds the mutex begins anything after that
	p.mu.Unlock()
	p.work.Wait()
}

func (p *Pod) find(id string) *container {
	for _, c := range p.containers {
		if c.id == id {
			return c
		}
	}
	return nil
}

// changed notes that a container came or ended.
func (p *Pod) changed() {
	p.last = time.Now()
	close(p.news)
	p.news = make(chan struct{})
	p.pursue()
}
