//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/report"
)

// order is that of the servers, which is also their colours'.
var order = []string{nameMayfly, nameWasmtime, namePooling, nameReuse, nameJco, nameKept, nameEach}

func colour(server string) int {
	switch server {
	case nameMayflyCached:
		server = nameMayfly
	case nameWasmtimePrecompiled:
		server = nameWasmtime
	}
	return max(slices.Index(order, server), 0)
}

var languages = map[string]string{"c": "C", "rust": "Rust", "go": "Go", "js": "JavaScript", "python": "Python"}

// page is the report.
func (r *results) page() report.Page {
	p := report.Page{
		Title: "mayfly beside others: what a fresh instance for each request costs",
		Lead: []string{
			"mayfly runs small programs, compiled to WebAssembly, that answer HTTP requests. It starts a new instance of the program for each request and throws it away " +
				"with the answer, so that no request can see what another has left behind. Here that is measured beside other ways to run the same programs, on one machine, in one run.",
			"The program tells the time and draws a random number. It is about the least that a program can do, so that what is measured is the way it is run, and not the program. " +
				"It was written in several languages; each server runs the same file.",
		},
		Origin: r.Origin,
		Again:  []string{"git clone https://github.com/mayfly-run/mayfly && cd mayfly", r.Origin.Command + "   # root for the containers; the first time builds wasmtime, half an hour"},
		Caveats: []string{
			"Servers and client share the processors, so at 8 and 64 connections they compete; the client's own cost is in the tables.",
			"The client's loop is closed: each connection asks again when it has its answer. While a server stalls nobody asks, so stalls count less than they would for visitors who come by themselves.",
			fmt.Sprintf("The servers took turns, %d rounds of %v each. Black whiskers and numbers in parentheses are the slowest and fastest round: where they are far apart the machine had other things to do. Run it twice before you believe a small difference.",
				r.Plan.Rounds, r.Plan.Turn),
			"A percentile that too few requests were measured for is left out: 99 of 100 needs 100 requests, 999 of 1,000 needs 1,000.",
			"wasmtime was built with what serving takes and no more; its releases can do more and are not faster for it.",
		},
	}
	for _, l := range r.LeftOut {
		p.Caveats = append(p.Caveats, "Left out: "+l)
	}
	p.Sections = []report.Section{r.inShort(), r.compared(), r.latencies(), r.rates(), r.distributions(), r.processors(), r.starts(), r.memories()}
	return p
}

// components are those that were measured, in the order they were.
func (r *results) components() []string {
	var all []string
	for _, q := range r.Requests {
		if !slices.Contains(all, q.Component) {
			all = append(all, q.Component)
		}
	}
	return all
}

// of are a component's requests, by connections.
func (r *results) of(component string) []*requests {
	var all []*requests
	for _, q := range r.Requests {
		if q.Component == component && q.N > 0 {
			all = append(all, q)
		}
	}
	return all
}

// inShort compares those that give each request a fresh instance of a component.
func (r *results) inShort() report.Section {
	s := report.Section{ID: "short", Title: "In short", Text: []string{
		"mayfly against wasmtime serve, as it comes and with its pooling options, each with a fresh instance for each request. Of times, a ratio below 1 means that mayfly is faster; " +
			"of rates, one above 1 that it answers more. In parentheses, the ratios of the single rounds.",
	}}
	for _, part := range []struct {
		title     string
		of, ratio func(*requests) string
	}{
		{title: "Time that half of the requests stayed below", of: func(q *requests) string { return short(q.P50) }, ratio: func(q *requests) string { return spread(q.MayflyP50) }},
		{title: "Requests in a second", of: func(q *requests) string { return report.PerSecond.Format(q.Rate.Median) }, ratio: func(q *requests) string { return spread(q.MayflyRate) }},
	} {
		t := &report.Table{Words: 1, Head: []string{"language", "connections", "mayfly", "wasmtime", "mayfly ÷ wasmtime", "wasmtime-pooling", "mayfly ÷ it"}}
		for _, ours := range r.Requests {
			if ours.Server != nameMayfly {
				continue
			}
			row := []string{languages[ours.Component], fmt.Sprint(ours.Connections), part.of(ours)}
			for _, name := range []string{nameWasmtime, namePooling} {
				if theirs := r.find(ours.Component, ours.Connections, name); theirs != nil && theirs.N > 0 {
					row = append(row, part.of(theirs), part.ratio(theirs))
				} else {
					row = append(row, "–", "–")
				}
			}
			t.Rows = append(t.Rows, row)
		}
		s.Parts = append(s.Parts, report.Part{Title: part.title, Table: t, Open: true})
	}
	return s
}

func (r *results) compared() report.Section {
	t := &report.Table{Words: 5, Head: []string{"name", "what it is", "fresh for each request", "version", "command"}}
	for _, d := range r.Servers {
		fresh := "no"
		if d.Fresh {
			fresh = "yes"
		}
		t.Rows = append(t.Rows, []string{d.Name, d.What, fresh, d.Version, d.Command})
	}
	return report.Section{ID: "servers", Title: "What is compared", Text: []string{
		"Where a server can keep what it has compiled, it was compiled before (mayfly's cache, wasmtime compile), as on a machine that has run the program before.",
	}, Parts: []report.Part{{Table: t, Open: true}}}
}

// connections is a group's name.
func connections(n int) string {
	if n == 1 {
		return "1 connection: one request after the other"
	}
	return fmt.Sprintf("%d connections at once", n)
}

func (r *results) latencies() report.Section {
	s := report.Section{ID: "latency", Title: "How long does a request take?", Text: []string{
		"From writing the request to having read the whole answer. The mark is the time that half of the requests stayed below, its value stands on the right; the line ends at two strokes, " +
			"which 99 of 100 and 999 of 1,000 stayed below. In parentheses, mayfly's time divided by this one. wasmtime-reuse and container-kept are not fresh for each request.",
	}}
	for _, c := range r.components() {
		chart := report.Ranges{Axis: "time of a request", Unit: report.Microseconds}
		table := &report.Table{Words: 2, Head: []string{"server", "connections", "p50", "p99", "p99.9", "mayfly's p50 ÷ this (rounds)", "n", "failed"}}
		for _, q := range r.of(c) {
			note := short(q.P50)
			if q.MayflyP50 != nil {
				note += fmt.Sprintf(" (×%s)", figures.Three(q.MayflyP50.Median))
			}
			chart.Rows = append(chart.Rows, report.Range{Group: connections(q.Connections), Label: q.Server, Note: note, Series: colour(q.Server), P50: q.P50, P99: q.P99, P999: q.P999})
			table.Rows = append(table.Rows, []string{q.Server, fmt.Sprint(q.Connections), short(q.P50), short(q.P99), short(q.P999), spread(q.MayflyP50), fmt.Sprint(q.N), fmt.Sprint(q.Failed)})
		}
		s.Parts = append(s.Parts, report.Part{Title: languages[c], Chart: chart, Table: table})
	}
	return s
}

func (r *results) rates() report.Section {
	s := report.Section{ID: "rate", Title: "How many requests in a second?", Text: []string{
		"All connections together. The bar is the middle of the rounds, the whisker goes from the slowest to the fastest round. In parentheses, mayfly's rate divided by this one.",
	}}
	for _, c := range r.components() {
		chart := report.Bars{Axis: "requests in a second", Unit: report.PerSecond}
		table := &report.Table{Words: 2, Head: []string{"server", "connections", "requests/s (rounds)", "mayfly's ÷ this (rounds)"}}
		for _, q := range r.of(c) {
			note := report.PerSecond.Format(q.Rate.Median)
			if q.MayflyRate != nil {
				note += fmt.Sprintf(" (×%s)", figures.Three(q.MayflyRate.Median))
			}
			chart.Rows = append(chart.Rows, report.Bar{Group: connections(q.Connections), Label: q.Server, Note: note, Series: colour(q.Server), Value: q.Rate.Median, Low: q.Rate.Min, High: q.Rate.Max})
			table.Rows = append(table.Rows, []string{q.Server, fmt.Sprint(q.Connections), q.Rate.String(), spread(q.MayflyRate)})
		}
		s.Parts = append(s.Parts, report.Part{Title: languages[c], Chart: chart, Table: table})
	}
	return s
}

// curved is the number of connections that whole distributions are drawn of.
const curved = 8

func (r *results) distributions() report.Section {
	s := report.Section{ID: "distribution", Title: "Every request, from the fastest to the slowest", Text: []string{
		fmt.Sprintf("At %d connections. From left to right, each step is a tenth of the requests of the step before; the further down a line stays, and the later it rises, the better.", curved),
	}}
	for _, c := range r.components() {
		chart := report.Curves{Axis: "requests, the slow end on the right", Unit: report.Microseconds}
		for _, q := range r.of(c) {
			if q.Connections != curved {
				continue
			}
			line := report.Curve{Label: q.Server, Series: colour(q.Server)}
			for _, d := range q.Distribution {
				line.Q, line.V = append(line.Q, d.Q), append(line.V, d.V)
			}
			chart.Lines = append(chart.Lines, line)
		}
		if len(chart.Lines) > 0 {
			s.Parts = append(s.Parts, report.Part{Title: languages[c], Chart: chart})
		}
	}
	return s
}

func (r *results) processors() report.Section {
	s := report.Section{ID: "processor", Title: "How much processor time does a request cost?", Text: []string{
		fmt.Sprintf("All of the server's processes, divided by the answers, at %d connections. This is what a busy node pays, and other work on the machine changes it less than it changes times.", curved),
	}}
	chart := report.Bars{Axis: "processor time of the server for a request", Unit: report.Microseconds, Log: true}
	table := &report.Table{Words: 2, Head: []string{"language", "server", "server", "client"}}
	for _, q := range r.Requests {
		if q.Connections != curved || q.ServerCPU == 0 {
			continue
		}
		chart.Rows = append(chart.Rows, report.Bar{Group: languages[q.Component], Label: q.Server, Note: short(q.ServerCPU), Series: colour(q.Server), Value: q.ServerCPU})
		table.Rows = append(table.Rows, []string{languages[q.Component], q.Server, short(q.ServerCPU), short(q.ClientCPU)})
	}
	s.Parts = []report.Part{{Chart: chart, Table: table}}
	return s
}

func (r *results) starts() report.Section {
	s := report.Section{ID: "start", Title: "How long from nothing to the first answer?", Text: []string{
		"From starting the server's program to its first answer. A component must be compiled for the machine; where that was done before, the server finds the result " +
			"(mayfly in its cache, as on a node that has run the image before; wasmtime in a file that was given to it).",
	}}
	chart := report.Bars{Axis: "time from start to first answer", Unit: report.Microseconds, Log: true}
	table := &report.Table{Words: 3, Head: []string{"language", "server", "what it does", "middle", "fastest", "slowest", "n"}}
	for _, f := range r.First {
		chart.Rows = append(chart.Rows, report.Bar{Group: languages[f.Component], Label: f.Server, Note: short(f.Time.Median), Series: colour(f.Server), Value: f.Time.Median, Low: f.Time.Min, High: f.Time.Max})
		table.Rows = append(table.Rows, []string{languages[f.Component], f.Server, f.What, short(f.Time.Median), short(f.Time.Min), short(f.Time.Max), fmt.Sprint(f.N)})
	}
	s.Parts = []report.Part{{Chart: chart, Table: table}}
	return s
}

func (r *results) memories() report.Section {
	s := report.Section{ID: "memory", Title: "How much memory?", Text: []string{
		fmt.Sprintf("Memory of the server's processes that is in no file: nobody else's, and the kernel cannot drop it. The bar is at rest after one request, the lighter bar behind it the most with %d connections. "+
			"The table also has the resident size (RSS), which counts what is mapped from files: the program, and code that was compiled before.", loaded),
	}}
	chart := report.Bars{Axis: "memory", Unit: report.Bytes, Log: true}
	table := &report.Table{Words: 2, Head: []string{"language", "server", "own, at rest", "under load", fmt.Sprintf("%v after", r.Plan.Rest), "RSS, at rest", "under load", "after"}}
	bytes := func(b int64) string { return report.Bytes.Format(float64(b)) }
	for _, m := range r.Memory {
		chart.Rows = append(chart.Rows, report.Bar{
			Group: languages[m.Component], Label: m.Server, Series: colour(m.Server),
			Note:  strings.TrimSuffix(bytes(m.Idle.Own), " MB") + " → " + bytes(m.Busy.Own),
			Value: float64(m.Idle.Own), Behind: float64(m.Busy.Own),
		})
		table.Rows = append(table.Rows, []string{languages[m.Component], m.Server,
			bytes(m.Idle.Own), bytes(m.Busy.Own), bytes(m.After.Own), bytes(m.Idle.RSS), bytes(m.Busy.RSS), bytes(m.After.RSS)})
	}
	s.Parts = []report.Part{{Chart: chart, Table: table}}
	return s
}
