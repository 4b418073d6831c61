//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/report"
)

// taken is a server whose n answers took 1, 2, 3, … times the unit, in rounds of these rates.
func taken(server string, n int, unit time.Duration, rounds ...round) *requests {
	q := &requests{Component: "c", Connections: 8, Server: server, Rounds: rounds, serverCPU: time.Duration(n) * time.Millisecond}
	for i := range n {
		q.times = append(q.times, time.Duration(n-i)*unit)
	}
	q.sum()
	return q
}

func TestTheFiguresOfAllRounds(t *testing.T) {
	for _, c := range []struct {
		name           string
		n              int
		p50, p99, p999 float64
		last           float64 // quantile of the distribution
	}{
		{"thousands", 10000, 5000, 9900, 9990, 0.9999},
		{"a thousand", 1000, 500, 990, 999, 0.999},
		{"too few for one of a thousand", 999, 500, 990, 0, 0.998},
		{"too few for one of a hundred", 99, 50, 0, 0, 0.98},
		{"one", 1, 1, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := taken("x", c.n, time.Microsecond, round{Rate: 3}, round{Rate: 1}, round{Rate: 2})
			if q.N != c.n || q.P50 != c.p50 || q.P99 != c.p99 || q.P999 != c.p999 {
				t.Errorf("n %d, p50 %v, p99 %v, p99.9 %v", q.N, q.P50, q.P99, q.P999)
			}
			if last := q.Distribution[len(q.Distribution)-1].Q; last != c.last {
				t.Errorf("the distribution ends at %v, want %v", last, c.last)
			}
			if want := (figures.Spread{Median: 2, Min: 1, Max: 3}); q.Rate != want || q.ServerCPU != 1000 {
				t.Errorf("rate %v, server's CPU %v", q.Rate, q.ServerCPU)
			}
		})
	}
}

func TestNoAnswerIsNoFigure(t *testing.T) {
	if q := taken("x", 0, time.Microsecond, round{}); q.N != 0 || q.P50 != 0 || q.Distribution != nil {
		t.Errorf("%+v", q)
	}
}

func some() *results {
	r := &results{
		Origin:  report.Origin{Command: "make bench-peers", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), CPU: "a <cpu>", CPUs: 2},
		Plan:    fullPlan(),
		Servers: []described{{nameMayfly, "mayfly 1", "this", "mayfly serve", true}, {nameWasmtime, "wasmtime 1", "that", "wasmtime serve", true}},
		Requests: []*requests{
			taken(nameMayfly, 2000, time.Microsecond, round{100, 200, 50}, round{1000, 2000, 5}),
			taken(nameWasmtime, 2000, 2*time.Microsecond, round{200, 400, 25}, round{2000, 4000, 2.5}),
		},
		Memory: []*memory{{Component: "c", Server: nameMayfly, Idle: held{1e6, 2e6}, Busy: held{3e6, 4e6}, After: held{1e6, 2e6}}},
		First:  []firstRequest{{"c", nameMayflyCached, "finds it", figures.Spread{Median: 5000, Min: 4000, Max: 6000}, 3}},
	}
	r.leaveOut("jco: %s", "no npm")
	r.leaveOut("jco: %s", "no npm")
	r.compare()
	return r
}

func TestRatiosAreOfTheSameRoundAndMayflyHasNone(t *testing.T) {
	r := some()
	ours, theirs := r.find("c", 8, nameMayfly), r.find("c", 8, nameWasmtime)
	if ours.MayflyP50 != nil || ours.MayflyRate != nil {
		t.Error("mayfly is compared with itself")
	}
	if want := (figures.Spread{Median: 0.5, Min: 0.5, Max: 0.5}); *theirs.MayflyP50 != want {
		t.Errorf("p50: %v", theirs.MayflyP50)
	}
	if want := (figures.Spread{Median: 2, Min: 2, Max: 2}); *theirs.MayflyRate != want {
		t.Errorf("rate: %v", theirs.MayflyRate)
	}
}

func TestWhatIsWrittenCanBeReadAgain(t *testing.T) {
	var out bytes.Buffer
	if err := some().write(&out); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Requests []struct {
			Server       string       `json:"server"`
			P999         float64      `json:"p999_us"`
			Distribution [][2]float64 `json:"distribution"`
		} `json:"requests"`
		LeftOut []string `json:"left_out"`
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Requests) != 2 || back.Requests[0].P999 != 1998 || back.Requests[0].Distribution[3] != [2]float64{0.5, 1000} || len(back.LeftOut) != 1 {
		t.Errorf("%+v", back)
	}
}

func TestThePageAndTheTableTellAll(t *testing.T) {
	var page, table bytes.Buffer
	r := some()
	if err := r.page().Write(&page); err != nil {
		t.Fatal(err)
	}
	if err := r.print(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0.50 (0.50–0.50)", "wasmtime", "mayfly-cached", "5.00 ms", "2.00 MB"} {
		for name, text := range map[string]string{"page": page.String(), "table": table.String()} {
			if !strings.Contains(text, want) {
				t.Errorf("the %s does not have %q", name, want)
			}
		}
	}
	for _, want := range []string{"Left out: jco: no npm", "a &lt;cpu&gt;", "make bench-peers"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}
