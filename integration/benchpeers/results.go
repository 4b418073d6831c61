//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/report"
)

// results is what was measured: out/bench-peers.json.
type results struct {
	Origin   report.Origin  `json:"origin"`
	Plan     plan           `json:"-"`
	Servers  []described    `json:"servers"`
	Requests []*requests    `json:"requests"`
	Memory   []*memory      `json:"memory"`
	First    []firstRequest `json:"first_request"`
	LeftOut  []string       `json:"left_out"`
}

// described is a server.
type described struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	What    string `json:"what"`
	Command string `json:"command"`
	Fresh   bool   `json:"fresh"` // each request has what nobody had before
}

// requests is one server with one component and so many connections.
type requests struct {
	Component    string             `json:"component"`
	Connections  int                `json:"connections"`
	Server       string             `json:"server"`
	P50          float64            `json:"p50_us"`
	P99          float64            `json:"p99_us,omitempty"`  // of at least 100 answers
	P999         float64            `json:"p999_us,omitempty"` // of at least 1000
	Rate         figures.Spread     `json:"requests_per_s"`    // over the rounds
	N            int                `json:"n"`
	Failed       int                `json:"failed"`
	Why          string             `json:"why_failed,omitempty"`
	ServerCPU    float64            `json:"server_cpu_us_per_request,omitempty"`
	ClientCPU    float64            `json:"client_cpu_us_per_request"`
	Rounds       []round            `json:"rounds"`
	Distribution []figures.Quantile `json:"distribution"`
	// mayfly's figure divided by this server's, of the same round; nil for mayfly.
	MayflyP50  *figures.Spread `json:"mayfly_p50_over_this,omitempty"`
	MayflyRate *figures.Spread `json:"mayfly_rate_over_this,omitempty"`

	times                       figures.Times
	spent, serverCPU, clientCPU time.Duration
}

type round struct {
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	Rate float64 `json:"requests_per_s"`
}

// memory is what a server and all it started hold, in bytes.
type memory struct {
	Component string `json:"component"`
	Server    string `json:"server"`
	Idle      held   `json:"idle"`  // one request was answered
	Busy      held   `json:"busy"`  // the most with 64 connections
	After     held   `json:"after"` // some time after that
}

// held is the memory of a server that is in no file, which is its alone, and all that it has mapped and is there: with the files of its
// program, which it shares with whoever runs the same.
type held struct {
	Own int64 `json:"own"`
	RSS int64 `json:"rss"`
}

// firstRequest is how long it takes from a server's start to its first answer.
type firstRequest struct {
	Component string         `json:"component"`
	Server    string         `json:"server"`
	What      string         `json:"what"`
	Time      figures.Spread `json:"us"`
	N         int            `json:"n"`
}

func (r *results) leaveOut(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.LeftOut, text) {
		r.LeftOut = append(r.LeftOut, text)
	}
}

func (r *results) memoryOf(component, server string) *memory {
	for _, m := range r.Memory {
		if m.Component == component && m.Server == server {
			return m
		}
	}
	m := &memory{Component: component, Server: server}
	r.Memory = append(r.Memory, m)
	return m
}

// find returns what was measured, nil if nothing was.
func (r *results) find(component string, connections int, server string) *requests {
	for _, q := range r.Requests {
		if q.Component == component && q.Connections == connections && q.Server == server {
			return q
		}
	}
	return nil
}

// compare divides mayfly's figures by those of the others.
func (r *results) compare() {
	column := func(q *requests, of func(round) float64) []float64 {
		var all []float64
		for _, turn := range q.Rounds {
			all = append(all, of(turn))
		}
		return all
	}
	for _, q := range r.Requests {
		ours := r.find(q.Component, q.Connections, nameMayfly)
		if ours == nil || ours == q {
			continue
		}
		p50, rate := func(t round) float64 { return t.P50 }, func(t round) float64 { return t.Rate }
		a, b := figures.Ratio(column(ours, p50), column(q, p50)), figures.Ratio(column(ours, rate), column(q, rate))
		q.MayflyP50, q.MayflyRate = &a, &b
	}
}

func (r *results) write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *results) save(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(r.write(f), f.Close())
}
