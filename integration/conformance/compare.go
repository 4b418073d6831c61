//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/outcome"
)

// The runtimes as containerd names them.
const (
	mayfly = "io.containerd.mayfly.v1"
	runc   = "io.containerd.runc.v2"
	// none is no runtime: a test that passes with it says nothing of a runtime.
	none = "io.containerd.none.v1"
)

// compare runs the tests that match only with each runtime, and those that
// differ again.
func compare(ctx context.Context, only *regexp.Regexp, stall time.Duration) (*outcome.Report, error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return nil, err
	}
	l, err := newLauncher(cache, stall)
	if err != nil {
		return nil, err
	}
	tests, err := l.suite.list(ctx, only)
	if err != nil {
		return nil, err
	}
	var r runs
	for _, run := range []struct {
		runtime string
		to      **results
	}{{none, &r.none}, {runc, &r.runc}, {mayfly, &r.mayfly}} {
		err := cache.Progress.Do(fmt.Sprintf("%d tests with %s", len(tests), run.runtime), func() (err error) {
			*run.to, err = l.run(ctx, run.runtime, tests)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, test := range differing(r.mayfly, r.runc) {
		if err := cache.Progress.Do("again, alone: "+test, func() error { return r.again(ctx, l, test) }); err != nil {
			return nil, err
		}
	}
	control := r.none.outcomes()
	return &outcome.Report{
		Mayfly: r.mayfly.outcomes(), Runc: r.runc.outcomes(), Control: control, Unsteady: r.unsteady, Logs: l.logs,
		How: "not without a runtime", Telling: func(test string) bool { return control.Of(test) != outcome.Pass },
	}, nil
}

// runs are the results with each runtime.
type runs struct {
	mayfly, runc *results
	none         *results // with no runtime at all
	unsteady     []string // differed in the whole suite, and not when run alone
}

// again runs one test alone with both runtimes; what comes out then counts.
func (r *runs) again(ctx context.Context, l *launcher, test string) error {
	for runtime, of := range map[string]*results{runc: r.runc, mayfly: r.mayfly} {
		alone, err := l.run(ctx, runtime, []string{test})
		if err != nil {
			return err
		}
		of.replace(test, alone)
	}
	if !differs(test, r.mayfly, r.runc) {
		r.unsteady = append(r.unsteady, test)
	}
	return nil
}
