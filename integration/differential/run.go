package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/peers"
)

// runner compares mayfly with its peers.
type runner struct {
	mayfly   *peers.Server
	peers    []*peers.Server
	only     *regexp.Regexp // of the requests, as COMPONENT/GROUP/NAME; nil: all
	known    *known
	origin   *origin
	logs     string
	progress *lab.Progress
}

// question is a request as it is asked.
type question struct {
	request
	id   string // COMPONENT/GROUP/NAME
	read func(string) string
}

// questions returns those that a component is asked.
func (r *runner) questions(c *component) []question {
	var all []question
	for _, g := range c.groups {
		for _, q := range g.requests {
			id := c.name + "/" + g.name + "/" + q.name
			if r.only != nil && !r.only.MatchString(id) {
				continue
			}
			q = q.toOrigin(r.origin.addr)
			q.own = q.own || g.own
			read := g.read
			if read == nil {
				read = asItIs
			}
			all = append(all, question{q, id, read})
		}
	}
	return all
}

// run asks every component's questions of every server.
func (r *runner) run(ctx context.Context, all []*component) (*report, error) {
	out := newReport(r.mayfly, r.peers)
	for _, c := range all {
		err := r.progress.Do(fmt.Sprintf("%s, %d requests", c.name, len(r.questions(c))), func() error { return r.component(ctx, c, out) })
		if err != nil {
			return nil, err
		}
	}
	out.stale = r.known.stale(out.wasAsked)
	return out, nil
}

// component asks the questions of one component.
func (r *runner) component(ctx context.Context, c *component, out *report) error {
	questions := r.questions(c)
	ours := &lane{server: r.mayfly, component: c, logs: r.logs}
	lanes := []*lane{ours}
	for _, peer := range r.peers {
		if peer.Cannot != nil && peer.Cannot(c.name) != "" {
			out.leftOut(peer, c, peer.Cannot(c.name))
			continue
		}
		lanes = append(lanes, &lane{server: peer, component: c, logs: r.logs})
	}
	var all sync.WaitGroup
	for _, l := range lanes {
		all.Go(func() { l.askAll(ctx, questions) })
	}
	all.Wait()
	for _, l := range lanes {
		defer l.close()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if ours.err != nil {
		return ours.err
	}
	for _, theirs := range lanes[1:] {
		if theirs.err != nil {
			out.unserved(theirs.server, c, theirs.err)
			continue
		}
		for i := range questions {
			if err := r.judge(ctx, &questions[i], ours, theirs, i, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge compares two answers. Where they differ and nobody knows why, both are asked again, alone: what comes out then counts.
func (r *runner) judge(ctx context.Context, q *question, ours, theirs *lane, i int, out *report) error {
	found := compare(&q.request, ours.answers[i], theirs.answers[i], q.read)
	unknown := func(d difference) bool { return r.known.reasons[which{theirs.server.Name, q.id, d.aspect}] == "" }
	for _, d := range found {
		if !unknown(d) {
			continue
		}
		a, errA := ours.ask(ctx, q)
		b, errB := theirs.ask(ctx, q)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		again := compare(&q.request, a, b, q.read)
		if len(again) == 0 {
			out.unsteady = append(out.unsteady, theirs.server.Name+" "+q.id)
		}
		found = again
		break
	}
	verdicts := make([]verdict, len(found))
	for j, d := range found {
		w := which{theirs.server.Name, q.id, d.aspect}
		verdicts[j] = verdict{which: w, ours: d.ours, theirs: d.theirs, reason: r.known.reason(w)}
	}
	out.add(theirs.server, q.id, verdicts)
	return nil
}

// lane is one server with one component.
type lane struct {
	server    *peers.Server
	component *component
	logs      string
	process   *peers.Process // nil when it does not run
	answers   [][]answer
	err       error
}

// askAll asks every question.
func (l *lane) askAll(ctx context.Context, questions []question) {
	for i := range questions {
		answers, err := l.ask(ctx, &questions[i])
		if err != nil {
			l.err = err
			return
		}
		l.answers = append(l.answers, answers)
	}
}

// ask asks one question of a server that runs.
func (l *lane) ask(ctx context.Context, q *question) ([]answer, error) {
	for again := false; ; again = true {
		if err := l.up(ctx); err != nil {
			return nil, err
		}
		answers := ask(ctx, l.process.Addr, &q.request)
		last := answers[len(answers)-1].lost
		if last != nil {
			l.close() // it may be busy with that for ever, or be ending
		}
		// The answer before may have been the server's last.
		if errors.Is(last, errDown) && !again && ctx.Err() == nil {
			continue
		}
		return answers, ctx.Err()
	}
}

// up starts the server unless it runs.
func (l *lane) up(ctx context.Context) error {
	if l.process != nil {
		select {
		case <-l.process.Ended():
			l.close()
		default:
			return nil
		}
	}
	var err error
	l.process, err = l.server.Start(ctx, peers.Job{Component: l.component.name, File: l.component.file, Logs: l.logs})
	return err
}

func (l *lane) close() {
	if l.process != nil {
		l.process.Stop()
		l.process = nil
	}
}
