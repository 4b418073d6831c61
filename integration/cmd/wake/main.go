//go:build linux

// Command wake prints how long an engine takes from being started to its first
// answer, with and without a cache of compiled code, and what it spends that
// time on. It needs bin/mayfly-engine: make host.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/integration/wake"
	"github.com/mayfly-run/mayfly/internal/figures"
)

const usage = `usage: wake [flags] [FILE.wasm…]

It prints how long an engine takes from being started to being ready and to its first
answer, with code that was compiled before. Without files it takes the components of
examples/time in C and Rust. It needs bin/mayfly-engine: make host.

  go run ./integration/cmd/wake -n 10 -plain examples/time/rust-component/time.wasm

`

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	n := flag.Int("n", 30, "how many `times` an engine is started")
	engine := flag.String("engine", "bin/mayfly-engine", "the engine's `file`")
	plain := flag.Bool("plain", false, "measure also engines that compile at each start, without a cache")
	limit := flag.Uint64("limit", 128<<20, "what the engine is told to be its container's limit of memory, in `bytes`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Args(), *n, *engine, *plain, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "wake:", err)
		os.Exit(1)
	}
}

// run measures modules: those in the arguments, or examples.
func run(ctx context.Context, modules []string, n int, engine string, plain bool, limit uint64) error {
	if len(modules) == 0 {
		modules = bare.Examples()
	}
	binary, err := filepath.Abs(engine)
	if err != nil {
		return err
	}
	o := bare.Options{Binary: binary, Limit: limit, Env: []string{"MAYFLY_LOG_LEVEL=debug"}}
	for _, o.Module = range modules {
		for _, compiled := range []bool{true, false} {
			if !compiled && !plain {
				continue
			}
			r, err := wake.Measure(ctx, o, n, compiled)
			if err != nil {
				return fmt.Errorf("%s: %w", o.Module, err)
			}
			report(o.Module, compiled, r)
		}
	}
	return nil
}

func report(module string, compiled bool, r *wake.Result) {
	how := "compiled before"
	if !compiled {
		how = "compiling"
	}
	fmt.Printf("%s, %s: ready %s; answer %s\n", module, how, figures.Summary(r.Ready), figures.Summary(r.Answer))
	for line := range strings.Lines(r.Log) {
		if strings.Contains(line, " started ") {
			fmt.Print("  ", line)
		}
	}
}
