//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

const usage = `Usage: go run ./integration/e2e [-run REGEXP] [-resume] [-procs N] [-timeout DURATION]

Runs Kubernetes' own tests of what a node must do, with mayfly as the runtime of
every pod and with runc, and compares the outcomes. Needs root.

  make e2e
  go run ./integration/e2e -run 'Lifecycle Hook'

`

// settings are what a run is asked for.
type settings struct {
	only    *regexp.Regexp
	labels  string
	bin     string
	procs   int
	timeout time.Duration
	resume  bool
}

func main() {
	lab.Main()
	os.Exit(doMain())
}

func doMain() int {
	var s settings
	run := flag.String("run", "", "only tests whose name matches this `regexp`")
	flag.StringVar(&s.labels, "labels", "NodeConformance", "only tests with these labels, as ginkgo's `expression`")
	flag.StringVar(&s.bin, "bin", "bin", "`directory` with mayfly's programs")
	flag.IntVar(&s.procs, "procs", 12, "so many tests at a time; most of them wait most of the time")
	flag.DurationVar(&s.timeout, "timeout", 45*time.Minute, "what has not ended with a runtime after `duration` is stuck")
	flag.BoolVar(&s.resume, "resume", false, "keep what is in out/e2e, and run only what has not passed")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	var err error
	if s.only, err = regexp.Compile(*run); err != nil || flag.NArg() > 0 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := compare(ctx, s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	if r.Print(os.Stdout) {
		return 1
	}
	return 0
}
