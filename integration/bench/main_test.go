//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/internal/report"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		ok   bool
	}{
		{"nothing", nil, true},
		{"all of it", []string{"-quick", "-o", "json", "-run", "^comp"}, true},
		{"an argument", []string{"quick"}, false},
		{"a pattern that is none", []string{"-run", "("}, false},
		{"another output", []string{"-o", "xml"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseOptions(c.args, t.Output()); (err == nil) != c.ok {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := parseOptions([]string{"-h"}, t.Output()); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}

func some() []figure {
	times := make(figures.Times, 2000)
	for i := range times {
		times[i] = time.Duration(len(times)-i) * time.Microsecond
	}
	return []figure{
		inMicroseconds("fresh-instance/c", times, "inside"),
		inMicroseconds("fresh-instance/c-cgi", times[:10], "inside"),
		inMicroseconds("fresh-instance/go", times[:10], "inside"),
		inMicroseconds("component-load/go", times[:1], "once"),
		inBytes("idle-memory/holder", figures.Sample[int64]{700000, 710000, 690000}, "private"),
		inMicroseconds("unheard-of/x", times[:1], "somehow"),
	}
}

func TestFiguresAreReadAsBefore(t *testing.T) {
	var text bytes.Buffer
	if err := encode(&text, some()); err != nil {
		t.Fatal(err)
	}
	var back []struct {
		Name, Unit, Command string
		P50, P99            float64
		N                   int
	}
	if err := json.Unmarshal(text.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if f := back[0]; f.Name != "fresh-instance/c" || f.Unit != "µs" || f.P50 != 1000 || f.P99 != 1980 || f.N != 2000 || f.Command != "make bench" {
		t.Errorf("%+v", f)
	}
	if f := back[4]; f.Unit != "bytes" || f.P50 != 700000 {
		t.Errorf("%+v", f)
	}
}

func TestThePageHasEveryFigure(t *testing.T) {
	var text bytes.Buffer
	if err := page(some(), report.Origin{}, []string{"the moon"}, false).Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, f := range some() {
		if !strings.Contains(text.String(), f.Name) {
			t.Errorf("%s is not on the page", f.Name)
		}
	}
	for _, want := range []string{"A fresh instance", "C (CGI)", "Other figures", "Left out: the moon", "0.70 MB", "1.00 ms"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if strings.Contains(text.String(), "Starting a container") {
		t.Error("there is a section of which nothing was measured")
	}
}

func TestAProgramHasOnePlaceAndOneColour(t *testing.T) {
	for _, s := range page(some(), report.Origin{}, nil, false).Sections {
		for _, p := range s.Parts {
			ranges, ok := p.Chart.(report.Ranges)
			if !ok {
				continue
			}
			last := -1
			for _, r := range ranges.Rows {
				if want := map[string]int{"C": 0, "Go": 2, "C (CGI)": 4, "unheard-of/x": 7}[r.Label]; r.Series != want || r.Series <= last {
					t.Errorf("%s: %s has the series %d after %d, want %d", s.Title, r.Label, r.Series, last, want)
				}
				last = r.Series
			}
		}
	}
}

func TestOneAloneHasNoSlowEnd(t *testing.T) {
	var text bytes.Buffer
	some := []figure{inMicroseconds("component-load/go", figures.Times{time.Millisecond}, "once")}
	if err := page(some, report.Origin{}, nil, false).Write(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "1.00 ms, once") || strings.Contains(text.String(), "(p99") || strings.Contains(text.String(), "99 of 100 below") {
		t.Errorf("page: %s", &text)
	}
}

func TestAQuickRunIsCalledThat(t *testing.T) {
	for _, quick := range []bool{true, false} {
		var text bytes.Buffer
		if err := page(some(), report.Origin{}, nil, quick).Write(&text); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String(), "quick run") != quick {
			t.Errorf("quick %v: %s", quick, &text)
		}
	}
}

func TestTimeInAFunctionIsThatOfAllItCalls(t *testing.T) {
	function := func(name string) *profile.Location {
		return &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}}
	}
	inlined := function("x/" + ending)
	inlined.Line = append(inlined.Line, profile.Line{Function: &profile.Function{Name: "main.other"}})
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples"}, {Type: "cpu", Unit: "nanoseconds"}},
		Sample: []*profile.Sample{
			{Location: []*profile.Location{function("syscall.Syscall"), function("x/" + ending), function("main.main")}, Value: []int64{1, 10}},
			{Location: []*profile.Location{inlined}, Value: []int64{2, 20}},
			{Location: []*profile.Location{function("x/" + ending + ".func1"), function("main.main")}, Value: []int64{4, 40}},
			{Location: []*profile.Location{{}}, Value: []int64{8, 80}},
		},
	}
	if got := timeIn(p, ending); got != 30 {
		t.Errorf("got %d, want 30", got)
	}
}
