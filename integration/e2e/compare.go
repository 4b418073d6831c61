//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mayfly-run/mayfly/integration/cluster"
	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/outcome"
)

// The runtimes as containerd's configuration names them.
const (
	mayfly = "mayfly"
	runc   = "runc"
)

// comparison is a run of the suite with both runtimes.
type comparison struct {
	cache   *lab.Cache
	install *lab.Install
	suite   suite
	images  []string
	bin     string
	logs    string
	known   map[string]*records // by runtime
	rounds  int                 // of tests, which number the reports
}

// compare runs the tests with each runtime, and those that differ again.
func compare(ctx context.Context, s settings) (*outcome.Report, error) {
	c, err := prepare(s)
	if err != nil {
		return nil, err
	}
	tests, err := c.choose(ctx)
	if err != nil {
		return nil, err
	}
	for _, runtime := range []string{runc, mayfly} {
		if err := c.run(ctx, runtime, c.known[runtime].missing(tests), s.procs); err != nil {
			return nil, err
		}
	}
	for runtime, known := range c.known {
		if n := len(tests) - len(known.results(tests)); n > 0 {
			return nil, fmt.Errorf("compare outcomes: %d tests have not had their turn with %s in %s: go on with -resume", n, runtime, s.timeout)
		}
	}
	unsteady, err := c.again(ctx, tests)
	if err != nil {
		return nil, err
	}
	return &outcome.Report{
		Mayfly: c.known[mayfly].results(tests), Runc: c.known[runc].results(tests),
		How: "have a container", Telling: func(test string) bool { return c.known[mayfly].tests[test].Started },
		Unsteady: unsteady, Logs: c.logs,
	}, nil
}

// prepare builds, or finds, all there is to build.
func prepare(s settings) (*comparison, error) {
	bin, err := filepath.Abs(s.bin)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(bin, "containerd-shim-mayfly-v1")); err != nil {
		return nil, fmt.Errorf("find mayfly's shim: %w: run make host", err)
	}
	logs, err := filepath.Abs("out/e2e")
	if err != nil {
		return nil, err
	}
	if !s.resume {
		if err := os.RemoveAll(logs); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	c := &comparison{bin: bin, logs: logs, known: map[string]*records{}}
	for _, runtime := range []string{runc, mayfly} {
		if c.known[runtime], err = openRecords(filepath.Join(logs, runtime+".json")); err != nil {
			return nil, err
		}
	}
	if c.cache, err = lab.OpenCache(lab.NewProgress(os.Stderr)); err != nil {
		return nil, err
	}
	if c.install, err = c.cache.Containerd(lab.Containerd24); err != nil {
		return nil, err
	}
	tests, err := c.cache.KubernetesTests()
	if err != nil {
		return nil, err
	}
	c.suite = suite{tests, s}
	if c.images, err = tests.Images(c.cache); err != nil {
		return nil, err
	}
	pause, err := c.cache.Pause() // what pods are made of here, by its own name
	if err != nil {
		return nil, err
	}
	c.images = append(c.images, pause)
	return c, nil
}

// choose names the tests to run, and tells which are left out.
func (c *comparison) choose(ctx context.Context) ([]string, error) {
	all, err := c.suite.list(ctx)
	if err != nil {
		return nil, err
	}
	l, err := readLeftOut(leftOutText)
	if err != nil {
		return nil, err
	}
	tests, out, err := l.split(all)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%d tests have the label %s; %d are left out:\n", len(all), c.suite.labels, len(out))
	for _, t := range out {
		fmt.Printf("  %s: %s\n", t, l[t])
	}
	fmt.Println()
	tests = slices.DeleteFunc(tests, func(t string) bool { return !c.suite.only.MatchString(t) })
	if len(tests) == 0 {
		return nil, fmt.Errorf("no test matches %q", c.suite.only)
	}
	return tests, nil
}

// run runs tests on a cluster of their own.
func (c *comparison) run(ctx context.Context, runtime string, tests []string, procs int) error {
	if len(tests) == 0 {
		return nil
	}
	return c.cache.Progress.Do(fmt.Sprintf("%d tests with %s", len(tests), runtime), func() (err error) {
		up, err := cluster.Up(ctx, c.cache, cluster.Options{Install: c.install, Mayfly: c.bin, DefaultRuntime: runtime})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, up.Down()) }()
		for _, i := range c.images {
			if err := up.Import(ctx, i); err != nil {
				return err
			}
		}
		started, err := watchStarts(ctx, up.Kubeconfig())
		if err != nil {
			return err
		}
		c.rounds++
		report := filepath.Join(c.logs, fmt.Sprintf("%s-%d-report.json", runtime, c.rounds))
		runErr := c.suite.run(ctx, up.Kubeconfig(), procs, tests, report, filepath.Join(c.logs, runtime+".log"))
		namespaces := started.stop()
		specs, err := readReport(report)
		if err != nil {
			return errors.Join(runErr, err)
		}
		return errors.Join(runErr, c.known[runtime].add(specs, namespaces), c.keepLogs(up, runtime))
	})
}

// keepLogs copies containerd's log, which goes with the node.
func (c *comparison) keepLogs(up *cluster.Cluster, runtime string) error {
	text, err := os.ReadFile(up.Containerd.Log())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.logs, fmt.Sprintf("%s-%d-containerd.log", runtime, c.rounds)), text, 0o644)
}

// again runs the tests that differ once more with both runtimes, one at a time;
// what comes out then counts. It returns those that then do not differ.
func (c *comparison) again(ctx context.Context, tests []string) (unsteady []string, err error) {
	different := c.different(tests)
	for _, runtime := range []string{runc, mayfly} {
		if err := c.run(ctx, runtime, different, 1); err != nil {
			return nil, err
		}
	}
	still := c.different(tests)
	return slices.DeleteFunc(different, func(t string) bool { return slices.Contains(still, t) }), nil
}

func (c *comparison) different(tests []string) []string {
	return slices.DeleteFunc(slices.Clone(tests), func(t string) bool {
		return c.known[mayfly].results(tests).Of(t) == c.known[runc].results(tests).Of(t)
	})
}
