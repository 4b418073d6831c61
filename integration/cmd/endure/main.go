//go:build linux

// Command endure asks an engine very many times and prints what that leaves
// behind. It needs bin/mayfly-engine: make host.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/integration/endure"
	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/figures"
)

const usage = `usage: endure [flags] [FILE.wasm…]

It asks an engine very many times, and prints how fast that went, what memory it left
behind, and how long the collector stopped the engine. Without files it takes the
components of examples/time in C and Rust. It needs bin/mayfly-engine: make host.

  go run ./integration/cmd/endure -n 20000 -clients 4 examples/time/c-component/time.wasm

`

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	n := flag.Int("n", 100_000, "how many `requests`")
	clients := flag.Int("clients", 8, "how `many` ask at once")
	path := flag.String("path", "/", "what is asked for")
	engine := flag.String("engine", "bin/mayfly-engine", "the engine's `file`")
	limit := flag.Uint64("limit", 0, "what the engine is told to be its container's limit of memory, in `bytes`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Args(), *n, *clients, *path, *engine, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "endure:", err)
		os.Exit(1)
	}
}

// run measures modules: those in the arguments, or examples.
func run(ctx context.Context, modules []string, n, clients int, path, engine string, limit uint64) error {
	if len(modules) == 0 {
		modules = bare.Examples()
	}
	binary, err := filepath.Abs(engine)
	if err != nil {
		return err
	}
	for _, m := range modules {
		r, err := endure.Measure(ctx, endure.Options{
			Options: bare.Options{Binary: binary, Module: m, Limit: limit, Env: environment()}, Path: path, Clients: clients, Requests: n,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
		report(m, r)
	}
	return nil
}

// environment is what settles the collector, to try other settings.
func environment() (env []string) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func report(module string, r *endure.Result) {
	mb := func(m lab.Memory) float64 { return float64(m.Own) / 1e6 }
	fmt.Printf("%s: %d requests, %.0f in a second, %s; processor time of one %s\n", module, r.Requests, r.Rate, figures.Summary(r.Times), figures.Short(r.CPU))
	fmt.Printf("  memory of its own: idle %.2f MB; at rest after a tenth %.2f MB, after all %.2f MB; busy %.2f MB\n", mb(r.Idle), mb(r.First), mb(r.Last), mb(r.Busy))
	fmt.Printf("  collector: %d cycles, the world stopped for p50 %s, p99 %s, at most %s\n", r.Cycles,
		figures.Short(r.Pauses.Quantile(0.5)), figures.Short(r.Pauses.Quantile(0.99)), figures.Short(r.Pauses.Quantile(1)))
}
