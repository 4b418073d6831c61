//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/report"
)

// figure is one line of out/bench.json.
type figure struct {
	Name    string  `json:"name"`
	Unit    string  `json:"unit"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	P999    float64 `json:"p999,omitempty"` // of at least a thousand
	N       int     `json:"n"`
	Command string  `json:"command"`
	How     string  `json:"how"`
	// Distribution is of times only: pairs of a part of the sample, and what it stayed below.
	Distribution []figures.Quantile `json:"distribution,omitempty"`
}

// The units of figures.
const (
	unitTime  = "µs"
	unitBytes = "bytes"
)

func inMicroseconds(name string, t figures.Times, how string) figure {
	sorted := t.Sorted()
	f := figure{Name: name, Unit: unitTime, P50: figures.Microseconds(sorted.Quantile(0.5)), P99: figures.Microseconds(sorted.Quantile(0.99)),
		N: len(t), Command: command, How: how, Distribution: figures.Distribution(sorted)}
	if len(t) >= 1000 {
		f.P999 = figures.Microseconds(sorted.Quantile(0.999))
	}
	return f
}

func inBytes(name string, s figures.Sample[int64], how string) figure {
	return figure{Name: name, Unit: unitBytes, P50: float64(s.Quantile(0.5)), P99: float64(s.Quantile(0.99)), N: len(s), Command: command, How: how}
}

// in is the unit that a chart has for it.
func (f figure) in() report.Unit {
	if f.Unit == unitBytes {
		return report.Bytes
	}
	return report.Microseconds
}

// slow is its p99, of which one alone has none.
func (f figure) slow() string {
	if f.N < 2 {
		return "–"
	}
	return f.in().Format(f.P99)
}

func encode(w io.Writer, all []figure) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(all)
}

func save(all []figure) error {
	if err := os.MkdirAll(filepath.Dir(jsonFile), 0o755); err != nil {
		return err
	}
	f, err := os.Create(jsonFile)
	if err != nil {
		return err
	}
	if err := encode(f, all); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func table(w io.Writer, all []figure) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "figure\tp50\tp99\tn\thow")
	for _, f := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", f.Name, f.in().Format(f.P50), f.slow(), f.N, f.How)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "written to %s and %s\n", jsonFile, htmlFile)
	return err
}
