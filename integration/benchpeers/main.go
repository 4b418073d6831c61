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
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/report"
)

const (
	jsonFile = "out/bench-peers.json"
	htmlFile = "out/bench-peers.html"
	logs     = "out/bench-peers" // what the servers print
)

// plan is how much is measured.
type plan struct {
	Components  []string
	Servers     *regexp.Regexp // nil: all
	Connections []int
	Rounds      int           // in which each server has its turn
	Turn        time.Duration // of one server
	Warm        time.Duration // before the first round
	Starts      int           // of each server, at most
	Patience    time.Duration // after which a server is started no more
	Rest        time.Duration // before memory at rest is read
}

func fullPlan() plan {
	return plan{
		Connections: []int{1, 8, 64}, Rounds: 5, Turn: time.Second, Warm: time.Second,
		Starts: 5, Patience: 12 * time.Second, Rest: 5 * time.Second,
	}
}

func quickPlan() plan {
	return plan{
		Connections: []int{1, 8, 64}, Rounds: 3, Turn: 300 * time.Millisecond, Warm: 300 * time.Millisecond,
		Starts: 1, Patience: time.Second, Rest: time.Second,
	}
}

// options are the command line's.
type options struct {
	plan
	quick bool
	json  bool
}

func main() { os.Exit(doMain(os.Args[1:], os.Stdout, os.Stderr)) }

func doMain(args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench-peers:", err)
		return 1
	}
	return 0
}

// known are the components that tell the time, and those that are measured when nobody names any.
var known, usual = []string{"c", "rust", "go", "js", "python"}, []string{"c", "rust", "go", "js"}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	set := flag.NewFlagSet("bench-peers", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.BoolVar(&o.quick, "quick", false, "measure less, to see that all works: three rounds of 0.3 s, one start of each")
	components := set.String("components", strings.Join(usual, ","), "of "+strings.Join(known, ", "))
	servers := set.String("servers", "", "only servers whose name matches `REGEXP`, and mayfly")
	output := set.String("o", "text", "text or json, on stdout")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	o.plan = fullPlan()
	if o.quick {
		o.plan = quickPlan()
	}
	o.Components = strings.Split(*components, ",")
	o.json = *output == "json"
	err := func() (err error) {
		switch {
		case set.NArg() > 0:
			return fmt.Errorf("unknown argument %q", set.Arg(0))
		case *output != "text" && *output != "json":
			return fmt.Errorf("-o %s: there are text and json", *output)
		}
		for _, c := range o.Components {
			if !slices.Contains(known, c) {
				return fmt.Errorf("-components: there is no %q, but %s", c, strings.Join(known, ", "))
			}
		}
		if *servers != "" {
			o.Servers, err = regexp.Compile(*servers)
		}
		return err
	}()
	if err != nil {
		fmt.Fprintln(stderr, "bench-peers:", err)
	}
	return o, err
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	command := "make bench-peers"
	if o.quick {
		command = "go run ./integration/benchpeers -quick"
	}
	dir, err := os.MkdirTemp("", "mayfly-bench-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	progress := lab.NewProgress(os.Stderr)
	r := &results{Origin: report.Here(command, time.Now()), Plan: o.plan}
	to, err := filepath.Abs(logs)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	f, err := findFleet(dir, to, o.plan, progress, r)
	if err != nil {
		return err
	}
	examples, lacking := lab.Components(progress, o.Components...)
	for _, l := range lacking {
		r.leaveOut("%v", l)
	}
	m := &measuring{plan: o.plan, fleet: f, dir: dir, logs: to, progress: progress, results: r}
	for _, e := range examples {
		if err := m.component(ctx, e); err != nil {
			return err
		}
	}
	if len(r.Requests) == 0 {
		return errors.New("nothing was measured: see above")
	}
	r.compare()
	for _, l := range r.LeftOut {
		fmt.Fprintln(stderr, "bench-peers: without", l)
	}
	if err := errors.Join(r.save(jsonFile), r.page().Save(htmlFile)); err != nil {
		return err
	}
	if o.json {
		return r.write(stdout)
	}
	return r.print(stdout)
}
