//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// The runtimes as containerd names them.
const (
	mayfly = "io.containerd.mayfly.v1"
	runc   = "io.containerd.runc.v2"
	// none is no runtime: a test that passes with it says nothing of a runtime.
	none = "io.containerd.none.v1"
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
	worse, err := compare(ctx, only, *stall)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		return 1
	}
	if worse {
		return 1
	}
	return 0
}

// compare runs everything, prints the report, and tells whether mayfly failed
// where runc did not.
func compare(ctx context.Context, only *regexp.Regexp, stall time.Duration) (worse bool, err error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return false, err
	}
	l, err := newLauncher(cache, stall)
	if err != nil {
		return false, err
	}
	tests, err := l.suite.list(ctx, only)
	if err != nil {
		return false, err
	}
	of := map[string]*results{}
	for _, runtime := range []string{none, runc, mayfly} {
		err := cache.Progress.Do(fmt.Sprintf("%d tests with %s", len(tests), runtime), func() (err error) {
			of[runtime], err = l.run(ctx, runtime, tests)
			return err
		})
		if err != nil {
			return false, err
		}
	}
	again := differing(of[mayfly], of[runc])
	var unsteady []string
	for _, test := range again {
		err := cache.Progress.Do("again, alone: "+test, func() error {
			for _, runtime := range []string{runc, mayfly} {
				r, err := l.run(ctx, runtime, []string{test})
				if err != nil {
					return err
				}
				of[runtime].replace(test, r)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
		if !differs(test, of[mayfly], of[runc]) {
			unsteady = append(unsteady, test)
		}
	}
	r := report{mayfly: of[mayfly], runc: of[runc], none: of[none], unsteady: unsteady, logs: l.logs}
	return r.print(os.Stdout), nil
}

// logDir is where the logs of a run are written, emptied of those before.
func logDir() (string, error) {
	dir, err := filepath.Abs("out/conformance")
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}
