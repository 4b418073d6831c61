package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/mayfly-run/mayfly/integration/figures"
	"github.com/mayfly-run/mayfly/integration/lab"
)

const (
	benchFile    = "out/differential.json"
	benchCommand = "go run ./integration/differential -bench"
	// The servers take turns, so that what else the machine does is shared among them.
	benchRounds = 3
	benchTurn   = 700 * time.Millisecond
	benchWarm   = 500 * time.Millisecond
)

// benchClients are how many clients ask at once, each over a connection that it keeps.
var benchClients = []int{1, 8}

// measured is one server, with one component and so many clients.
type measured struct {
	Component string  `json:"component"`
	Clients   int     `json:"clients"`
	Server    string  `json:"server"`
	Version   string  `json:"version"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	Rate      float64 `json:"requests_per_s"`
	N         int     `json:"n"`
	Failed    int     `json:"failed"`

	times figures.Times
	spent time.Duration
}

// bench measures every server with the components that tell the time.
func bench(ctx context.Context, o options, servers []*server, logs string, progress *lab.Progress, stdout io.Writer) error {
	all, err := components(func(c *component) bool {
		return strings.HasPrefix(c.name, "time-") && (o.run == nil || o.run.MatchString(c.name))
	}, progress)
	if err != nil {
		return err
	}
	load := machine()
	var figures []*measured
	for _, c := range all {
		err := progress.Do("measure "+c.name, func() error {
			m, err := measureAll(ctx, c, servers, logs)
			figures = append(figures, m...)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := writeFigures(figures, load); err != nil {
		return err
	}
	if o.json {
		return encodeFigures(stdout, figures, load)
	}
	return printFigures(stdout, figures, load)
}

// measureAll measures each server with c. One that does not serve it is left out.
func measureAll(ctx context.Context, c *component, servers []*server, logs string) ([]*measured, error) {
	var running []*process
	for _, s := range servers {
		if s.cannot != nil && s.cannot(c.name) != "" {
			fmt.Fprintf(os.Stderr, "differential: %s cannot serve %s here: %s\n", s.name, c.name, s.cannot(c.name))
			continue
		}
		p, err := s.start(ctx, c, logs)
		if err != nil {
			fmt.Fprintln(os.Stderr, "differential:", err)
			continue
		}
		defer p.stop()
		running = append(running, p)
	}
	var all []*measured
	for _, n := range benchClients {
		some := make([]*measured, len(running))
		for i, p := range running {
			some[i] = &measured{Component: c.name, Clients: n, Server: p.server.name, Version: p.server.version}
			(&measured{Clients: n}).take(ctx, p.addr, benchWarm)
		}
		for range benchRounds {
			for i, p := range running {
				some[i].take(ctx, p.addr, benchTurn)
			}
		}
		for _, m := range some {
			m.sum()
		}
		all = append(all, some...)
	}
	return all, ctx.Err()
}

// take asks for so long, each client as soon as it has its answer.
func (m *measured) take(ctx context.Context, addr string, long time.Duration) {
	transport := &http.Transport{MaxIdleConnsPerHost: m.Clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	var (
		mu  sync.Mutex // guards m
		all sync.WaitGroup
	)
	start := time.Now()
	for range m.Clients {
		all.Go(func() {
			var times figures.Times
			failed := 0
			for time.Since(start) < long && ctx.Err() == nil {
				began := time.Now()
				if err := get(ctx, client, addr); err != nil {
					failed++
					continue
				}
				times = append(times, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			m.times = append(m.times, times...)
			m.Failed += failed
		})
	}
	all.Wait()
	m.spent += time.Since(start)
}

func get(ctx context.Context, client *http.Client, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

func (m *measured) sum() {
	m.P50 = float64(m.times.Quantile(0.5).Nanoseconds()) / 1000
	m.P99 = float64(m.times.Quantile(0.99).Nanoseconds()) / 1000
	m.N = len(m.times)
	m.Rate = float64(m.N) / m.spent.Seconds()
}

// machine tells what was measured on, and what else it had to do.
func machine() string {
	text := fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		text += ", load before: " + strings.Join(strings.Fields(string(load))[:3], " ")
	}
	return text
}

func writeFigures(all []*measured, load string) error {
	if err := os.MkdirAll(filepath.Dir(benchFile), 0o755); err != nil {
		return err
	}
	f, err := os.Create(benchFile)
	if err != nil {
		return err
	}
	return errors.Join(encodeFigures(f, all, load), f.Close())
}

func encodeFigures(w io.Writer, all []*measured, load string) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Machine string      `json:"machine"`
		Command string      `json:"command"`
		Figures []*measured `json:"figures"`
	}{load, benchCommand, all})
}

// printFigures prints a line for each server. What stands in parentheses is how often mayfly's it is.
func printFigures(w io.Writer, all []*measured, load string) error {
	fmt.Fprintln(w, load)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "component\tclients\tserver\tp50\tp99\trequests/s\tn\tfailed")
	var ours *measured
	for _, m := range all {
		if m.Server == "mayfly" {
			ours = m
		}
		ratio := func(of func(*measured) float64) string {
			if m == ours || ours == nil || ours.Component != m.Component || ours.Clients != m.Clients || of(ours) == 0 {
				return ""
			}
			return fmt.Sprintf(" (×%.2f)", of(m)/of(ours))
		}
		µs := func(v float64) string { return figures.Short(time.Duration(v * 1000)) }
		fmt.Fprintf(table, "%s\t%d\t%s\t%s%s\t%s%s\t%.0f%s\t%d\t%d\n", m.Component, m.Clients, m.Server,
			µs(m.P50), ratio(func(m *measured) float64 { return m.P50 }),
			µs(m.P99), ratio(func(m *measured) float64 { return m.P99 }),
			m.Rate, ratio(func(m *measured) float64 { return m.Rate }), m.N, m.Failed)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "written to %s\n", benchFile)
	return err
}
