//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/report"
)

const (
	command      = "make bench"
	quickCommand = "make host && go run ./integration/bench -quick"
	jsonFile     = "out/bench.json"
	htmlFile     = "out/bench.html"
)

// effort is how much is measured.
type effort struct {
	asked    time.Duration // how long each thing is asked
	atMost   int           // and how often
	atLeast  int           // what takes seconds is done so often,
	patience time.Duration // and no more after that
	settle   time.Duration // before memory at rest is read
	crowd    bool          // ten thousand requests at once
}

var (
	full  = effort{asked: 3 * time.Second, atMost: 5000, atLeast: 3, patience: 10 * time.Second, settle: 35 * time.Second, crowd: true}
	quick = effort{asked: time.Second, atMost: 5000, atLeast: 1, patience: time.Second, settle: 3 * time.Second}
)

// options are the command line's.
type options struct {
	effort
	quick bool
	only  *regexp.Regexp // of the steps; nil: all
	json  bool
}

func main() {
	lab.Main()
	os.Exit(doMain(os.Args[1:], os.Stdout, os.Stderr))
}

func doMain(args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := options{effort: full}
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(stderr)
	less := set.Bool("quick", false, "measure less, to see that all works")
	only := set.String("run", "", "only the steps whose name matches `REGEXP`: components, modules, inflight, pods")
	output := set.String("o", "text", "text or json, on stdout")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	var err error
	switch {
	case set.NArg() > 0:
		err = fmt.Errorf("unknown argument %q", set.Arg(0))
	case *output != "text" && *output != "json":
		err = fmt.Errorf("-o %s: there are text and json", *output)
	case *only != "":
		o.only, err = regexp.Compile(*only)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
	}
	if *less {
		o.effort, o.quick = quick, true
	}
	o.json = *output == "json"
	return o, err
}

// step is a part of what is measured.
type step struct {
	name string
	do   func() ([]figure, error)
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	how := command
	if o.quick {
		how = quickCommand
	}
	origin := report.Here(how, time.Now())
	progress := lab.NewProgress(os.Stderr)
	dir, err := os.MkdirTemp("", "mayfly-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	modules, err := lab.Modules(ctx, dir)
	if err != nil {
		return err
	}
	var left []string
	leaveOut := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		left = append(left, text)
		fmt.Fprintln(stderr, "bench: left out", text)
	}
	components, lacking := lab.Components(progress, "js", "go", "rust", "c")
	for _, l := range lacking {
		leaveOut("%v", l)
	}
	var all []figure
	var failed error
	steps := []step{
		{"components", func() ([]figure, error) { return loadComponents(ctx, o.effort, components) }},
		{"modules", func() ([]figure, error) { return freshInstances(ctx, o.effort, modules) }},
	}
	if o.crowd {
		steps = append(steps, step{"inflight", func() ([]figure, error) { return crowds(leaveOut) }})
	}
	if lacking := lab.Check(); lacking != nil {
		leaveOut("all that runs on containerd: this machine %v", lacking)
	} else {
		steps = append(steps, step{"pods", func() ([]figure, error) { return onNode(ctx, o.effort, dir, append(modules, components...)) }})
	}
	for _, s := range steps {
		if o.only != nil && !o.only.MatchString(s.name) {
			leaveOut("%s: not asked for", s.name)
			continue
		}
		err := progress.Do("measure "+s.name, func() error {
			more, err := s.do()
			all = append(all, more...)
			return err
		})
		if err != nil { // what was measured until then is not lost
			failed = errors.Join(failed, fmt.Errorf("measure %s: %w", s.name, err))
			leaveOut("the rest of %s: %v", s.name, err)
		}
	}
	if err := errors.Join(save(all), page(all, origin, left, o.quick).Save(htmlFile)); err != nil {
		return errors.Join(failed, err)
	}
	show := table
	if o.json {
		show = encode
	}
	return errors.Join(failed, show(stdout, all))
}
