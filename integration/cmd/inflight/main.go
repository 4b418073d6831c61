//go:build linux

// Command inflight has very many requests in flight in one engine, each a live
// instance, and prints what that takes. It needs bin/mayfly-engine: make host.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/integration/inflight"
	"github.com/mayfly-run/mayfly/internal/figures"
)

const usage = `usage: inflight [flags] [GUEST…]

It has very many requests in flight in one engine, each in a live instance of its own,
and prints the memory that takes, and how long short requests take meanwhile. Guests
are rust, a component, and c-cgi, a core module; without names it takes both. It needs
bin/mayfly-engine: make host.

  go run ./integration/cmd/inflight -n 1000 -sleep 10s rust

`

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	n := flag.Int("n", 10_000, "how many `requests`")
	sleep := flag.Duration("sleep", 30*time.Second, "how long each lasts")
	engine := flag.String("engine", "bin/mayfly-engine", "the engine's `file`")
	limit := flag.Uint64("limit", 0, "what the engine is told to be its container's limit of memory, in `bytes`")
	flag.Parse()
	if err := run(flag.Args(), *n, *sleep, *engine, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "inflight:", err)
		os.Exit(1)
	}
}

func run(names []string, n int, sleep time.Duration, engine string, limit uint64) error {
	if len(names) == 0 {
		names = inflight.Guests
	}
	for _, name := range names {
		g, err := inflight.Find(name)
		if err != nil {
			return err
		}
		binary, err := filepath.Abs(engine)
		if err != nil {
			return err
		}
		o := bare.Options{Binary: binary, Limit: limit}
		if limit == 0 {
			o.Env = append(o.Env, fmt.Sprintf("MAYFLY_MAX_INSTANCES=%d", n+inflight.Probes))
		}
		r, err := inflight.Measure(o, g, n, sleep)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		report(name, r)
	}
	return nil
}

func report(name string, r *inflight.Result) {
	fmt.Printf("%s: %d requests, %d instances alive at once, all within %s; %d lost\n", name, r.N, r.AtOnce, figures.Short(r.Ramp), r.Lost)
	for _, e := range r.Errors {
		fmt.Println("  lost:", e)
	}
	fmt.Printf("  private memory %.1f MB, afterwards %.1f MB; %d mappings, %d threads, %d descriptors\n",
		float64(r.Memory.Private)/1e6, float64(r.After.Private)/1e6, r.Maps, r.Threads, r.Files)
	fmt.Printf("  short requests: alone %s; meanwhile %s, longest %s\n", figures.Summary(r.Before), figures.Summary(r.During), figures.Short(r.During.Quantile(1)))
	fmt.Printf("  collector: %d cycles, the world stopped for p50 %s, at most %s\n", r.Cycles, figures.Short(r.Pauses.Quantile(0.5)), figures.Short(r.Pauses.Quantile(1)))
}
