//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

const usage = `Run containerd's client test suite with mayfly's runtime and with runc's, and
compare. Needs root. Logs go to out/conformance. Exits 1 when a test fails with
mayfly only.

  make conformance
  go run ./integration/conformance -run 'TestContainer|TestTask'

`

func main() {
	lab.Main()
	if job := os.Getenv(jobVar); job != "" {
		os.Exit(inNode(job))
	}
	os.Exit(doMain())
}

func doMain() int {
	run := flag.String("run", ".", "only tests whose name matches this `regexp`")
	stall := flag.Duration("stall", 2*time.Minute, "give a test up after `duration` in which none has begun or ended")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	only, err := regexp.Compile(*run)
	if err != nil || flag.NArg() > 0 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := compare(ctx, only, *stall)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		return 1
	}
	if r.Print(os.Stdout) {
		return 1
	}
	return 0
}
