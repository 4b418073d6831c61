//go:build linux

// Package inflight measures an engine with very many requests in flight at
// once, each of which is a live instance. integration/cmd/inflight prints what
// it finds.
package inflight

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/figures"
)

const (
	// dialing is how many clients connect at once: more would fill the queue of
	// the listening socket, and what does not fit there tries again a second later.
	dialing = 128
	// Probes is how many clients ask short questions meanwhile, for probeFor.
	Probes   = 4
	probeFor = 3 * time.Second
	// patience is how much longer than it sleeps a request may take in all.
	patience = 2 * time.Minute
	// settle is how long after the last request memory is measured again: the
	// engine gives back what it can when it has been quiet for a while.
	settle = 6 * time.Second
)

// Guest is a guest with two paths.
type Guest struct {
	Module string                              // the file
	Sleep  func(d time.Duration) (path string) // waits, then answers with 200
	Short  string                              // a path that answers with 200 at once
}

// Result is what a run has found.
type Result struct {
	N       int           // requests that were to be in flight
	AtOnce  int           // instances that were alive at the same moment
	Lost    int           // requests without their answer
	Errors  []string      // of the first of those
	Ramp    time.Duration // from the first request until the last instance lived
	Before  figures.Times // of short requests with nothing else in flight
	During  figures.Times // of short requests while all the others slept
	Memory  lab.Memory    // while all slept
	After   lab.Memory    // when all was over
	Maps    int
	Threads int
	Files   int
	Pauses  figures.Times // in which a collection stopped the world
	Cycles  int           // of the collector
}

// Measure has n requests in flight that sleep, and asks short ones meanwhile.
// They must sleep for longer than it takes to start them all.
func Measure(o bare.Options, g Guest, n int, sleep time.Duration) (*Result, error) {
	o.Module = g.Module
	o.Env = append(slices.Clone(o.Env), "GODEBUG=gctrace=1", fmt.Sprintf("MAYFLY_TIMEOUT=%s", 2*(sleep+patience)))
	e, err := bare.Start(o)
	if err != nil {
		return nil, err
	}
	r := &Result{N: n}
	err = r.measure(e, g, sleep)
	stderr, err2 := e.Stop()
	if err := errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, tail(stderr))
	}
	r.Pauses, r.Cycles = bare.Pauses(stderr)
	return r, nil
}

func (r *Result) measure(e *bare.Engine, g Guest, sleep time.Duration) (err error) {
	if r.Before, err = probe(e.Addr, g.Short); err != nil {
		return err
	}
	c := &crowd{addr: e.Addr, path: g.Sleep(sleep), sleep: sleep}
	begin := time.Now()
	c.send(r.N)
	if rest := time.Until(begin.Add(sleep / 2)); rest > 0 {
		time.Sleep(rest) // the last instances begin
	}
	if r.During, err = probe(e.Addr, g.Short); err == nil {
		err = r.look(e)
	}
	c.wait.Wait()
	r.AtOnce, r.Ramp = c.atOnce(begin)
	r.Lost, r.Errors = r.N-len(c.spans), c.errors
	time.Sleep(settle)
	after, err2 := e.Memory()
	r.After = after
	return errors.Join(err, err2)
}

// look measures the process.
func (r *Result) look(e *bare.Engine) error {
	var errs [4]error
	r.Memory, errs[0] = e.Memory()
	r.Maps, errs[1] = e.Maps()
	r.Threads, errs[2] = e.Threads()
	r.Files, errs[3] = e.Files()
	return errors.Join(errs[:]...)
}

// crowd are the requests that sleep.
type crowd struct {
	addr, path string
	sleep      time.Duration
	wait       sync.WaitGroup

	mu     sync.Mutex // guards what follows
	spans  []span
	errors []string
}

// span is when an instance slept.
type span struct{ from, to time.Time }

// send sends n requests, and returns when all are on their way.
func (c *crowd) send(n int) {
	places := make(chan struct{}, dialing)
	for range n {
		places <- struct{}{}
		c.wait.Go(func() {
			at, err := c.one(func() { <-places })
			c.mu.Lock()
			defer c.mu.Unlock()
			if err == nil {
				c.spans = append(c.spans, span{at.Add(-c.sleep), at})
			} else if len(c.errors) < 5 {
				c.errors = append(c.errors, err.Error())
			}
		})
	}
}

// one sends a request, calls sent, and returns when the answer began to come.
func (c *crowd) one(sent func()) (at time.Time, err error) {
	conn, err := net.DialTimeout("tcp", c.addr, patience)
	if err != nil {
		sent()
		return at, err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "GET "+c.path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	sent()
	if err != nil {
		return at, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(c.sleep + patience)); err != nil {
		return at, err
	}
	b := bufio.NewReaderSize(conn, 512)
	if _, err := b.Peek(1); err != nil {
		return at, err
	}
	at = time.Now()
	resp, err := http.ReadResponse(b, nil)
	if err != nil {
		return at, err
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return at, err
}

// atOnce is how many slept at the same moment at the most, and how long after
// begin the last began to.
func (c *crowd) atOnce(begin time.Time) (most int, last time.Duration) {
	type step struct {
		at time.Time
		by int
	}
	var steps []step
	for _, s := range c.spans {
		steps = append(steps, step{s.from, 1}, step{s.to, -1})
		last = max(last, s.from.Sub(begin))
	}
	slices.SortFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	now := 0
	for _, s := range steps {
		now += s.by
		most = max(most, now)
	}
	return most, last
}

// probe asks short requests on kept connections, and returns what each took.
func probe(addr, path string) (figures.Times, error) {
	var mu sync.Mutex
	var all figures.Times
	var errs []error
	var wait sync.WaitGroup
	for range Probes {
		wait.Go(func() {
			client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			var times figures.Times
			var err error
			for end := time.Now().Add(probeFor); err == nil && time.Now().Before(end); {
				begin := time.Now()
				if err = short(client, "http://"+addr+path); err == nil {
					times = append(times, time.Since(begin))
				}
				time.Sleep(2 * time.Millisecond) // the machine is not to be full of probes
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
			errs = append(errs, err)
		})
	}
	wait.Wait()
	return all, errors.Join(errs...)
}

func short(c *http.Client, url string) error {
	resp, err := c.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("a short request: %s: %s", resp.Status, text)
	}
	return err
}

// tail is the end of a log.
func tail(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return "…" + strings.ToValidUTF8(text[len(text)-most:], "")
}
