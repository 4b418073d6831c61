//go:build linux

// Command bench measures mayfly on a real containerd and writes out/bench.json.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/mayfly-run/mayfly/integration/figures"
	"github.com/mayfly-run/mayfly/integration/lab"
)

// figure is one line of out/bench.json.
type figure struct {
	Name    string  `json:"name"`
	Unit    string  `json:"unit"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	N       int     `json:"n"`
	Command string  `json:"command"`
	how     string  // for who reads the table
}

const (
	command = "make bench"
	file    = "out/bench.json"
)

func inMicroseconds(name string, t figures.Times, how string) figure {
	µs := func(q float64) float64 { return float64(t.Quantile(q).Nanoseconds()) / 1000 }
	return figure{name, "µs", µs(0.5), µs(0.99), len(t), command, how}
}

func inBytes(name string, s figures.Sample[int64], how string) figure {
	return figure{name, "bytes", float64(s.Quantile(0.5)), float64(s.Quantile(0.99)), len(s), command, how}
}

func main() {
	lab.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mayfly-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	modules, err := lab.Modules(ctx, dir)
	if err != nil {
		return err
	}
	components, left := lab.Components(lab.NewProgress(os.Stderr), "js", "go", "rust", "c")
	for _, l := range left {
		fmt.Fprintln(os.Stderr, "bench: left out", l)
	}
	all, err := loadComponents(ctx, components)
	if err != nil {
		return err
	}
	more, err := freshInstances(ctx, modules)
	if err != nil {
		return err
	}
	all = append(all, more...)
	if lacking := lab.Check(); lacking != nil {
		fmt.Fprintf(os.Stderr, "bench: left out all that runs on containerd: %v\n", lacking)
	} else {
		more, err := onNode(ctx, dir, append(modules, components...))
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	if err := write(all); err != nil {
		return err
	}
	return table(all)
}

func write(all []figure) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func table(all []figure) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "figure\tp50\tp99\tn\thow")
	for _, f := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", f.Name, readable(f.P50, f.Unit), readable(f.P99, f.Unit), f.N, f.how)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Printf("written to %s\n", file)
	return err
}

func readable(v float64, unit string) string {
	if unit == "bytes" {
		return fmt.Sprintf("%.2f MB", v/1e6)
	}
	return figures.Short(time.Duration(v * 1000))
}
