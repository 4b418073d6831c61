//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// launcher runs tests of the suite in nodes.
type launcher struct {
	cache   *lab.Cache
	bin     string // with mayfly's shim
	install *lab.Install
	suite   suite
	busybox string
	logs    string
	stall   time.Duration
}

func newLauncher(c *lab.Cache, stall time.Duration) (*launcher, error) {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(bin, "containerd-shim-mayfly-v1")); err != nil {
		return nil, fmt.Errorf("find mayfly's shim: %w: run make host", err)
	}
	install, err := c.Containerd(lab.Containerd24)
	if err != nil {
		return nil, err
	}
	busybox, err := c.Busybox()
	if err != nil {
		return nil, err
	}
	s, err := buildSuite(c)
	if err != nil {
		return nil, err
	}
	logs, err := logDir()
	if err != nil {
		return nil, err
	}
	return &launcher{cache: c, bin: bin, install: install, suite: s, busybox: busybox, logs: logs, stall: stall}, nil
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

// run runs top-level tests until each has an outcome. When one hangs or brings
// the suite down, those that were running are run again one by one, and the
// rest without them: so one bad test spoils no other, and is found.
func (l *launcher) run(ctx context.Context, runtime string, tests []string) (*results, error) {
	all := newResults()
	for rest := tests; len(rest) > 0; {
		r, err := l.round(ctx, runtime, rest)
		if err != nil {
			return nil, err
		}
		running, waiting := r.unfinished(rest)
		if len(rest) > 1 && len(waiting) == len(rest) {
			return nil, fmt.Errorf("the suite ran no test with %s; its log is %s", runtime, l.log(runtime))
		}
		for _, test := range rest {
			all.replace(test, r)
		}
		if len(rest) == 1 {
			break // it has what it has
		}
		for _, test := range running {
			alone, err := l.run(ctx, runtime, []string{test})
			if err != nil {
				return nil, err
			}
			all.replace(test, alone)
		}
		for _, test := range waiting {
			all.forget(test)
		}
		rest = waiting
	}
	return all, nil
}

func (l *launcher) log(runtime string) string { return filepath.Join(l.logs, runtime+".log") }

// round runs tests in a node of their own, once, and ends it when nothing has
// happened for too long.
func (l *launcher) round(ctx context.Context, runtime string, tests []string) (r *results, err error) {
	log, err := os.OpenFile(l.log(runtime), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	n, err := lab.Up(l.cache)
	if err != nil {
		return nil, err
	}
	down := false
	end := func() error { // also the end of what the suite writes
		if down {
			return nil
		}
		down = true
		return n.Down()
	}
	defer func() { err = errors.Join(err, end()) }()
	cmd, err := l.command(runtime, tests)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = log
	events, w, err := decode(log)
	if err != nil {
		return nil, err
	}
	cmd.Stdout = w
	_, err = n.StartDaemon(cmd)
	w.Close()
	if err != nil {
		err = errors.Join(err, end())
		drain(events)
		return nil, err
	}
	r = newResults()
	timer := time.NewTimer(l.stall)
	defer timer.Stop()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return r, nil
			}
			if e.Action != "output" {
				timer.Reset(l.stall)
			}
			r.add(e)
			io.WriteString(log, e.Output)
		case <-timer.C:
			fmt.Fprintf(log, "conformance: no test has begun or ended for %s\n", l.stall)
			if err := end(); err != nil {
				drain(events)
				return nil, err
			}
		case <-ctx.Done():
			err := errors.Join(context.Cause(ctx), end())
			drain(events)
			return nil, err
		}
	}
}

// command is the one that does the job in the node: this program again.
func (l *launcher) command(runtime string, tests []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var quoted []string
	for _, t := range tests {
		quoted = append(quoted, regexp.QuoteMeta(t))
	}
	path := append([]string{l.bin, string(l.suite)}, l.install.Path...)
	text, err := json.Marshal(job{
		Busybox: l.busybox,
		Program: l.suite.program(),
		Args:    []string{"-test.root", "-test.v=test2json", "-test.timeout=0", "-test.run=^(" + strings.Join(quoted, "|") + ")$", "-no-criu"},
		Dir:     string(l.suite),
		Runtime: runtime,
		Path:    strings.Join(append(path, os.Getenv("PATH")), string(filepath.ListSeparator)),
	})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = []string{jobVar + "=" + string(text)}
	return cmd, nil
}
