//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// suite is Kubernetes' tests.
type suite struct {
	tests *lab.KubernetesTests
	settings
}

// list names the tests that have the labels, in the suite's order.
func (s *suite) list(ctx context.Context) ([]string, error) {
	dir, err := os.MkdirTemp("", "mayfly-e2e-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	report := filepath.Join(dir, "list.json")
	cmd := exec.CommandContext(ctx, s.tests.Program("e2e.test"), "--provider=skeleton", "--ginkgo.dry-run",
		"--ginkgo.label-filter="+s.labels, "--ginkgo.json-report="+report)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("list Kubernetes' tests: %w: %s", err, out)
	}
	specs, err := readReport(report)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range specs {
		names = append(names, t.name())
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no test has the labels %s", s.labels)
	}
	return names, nil
}

// run runs tests on a cluster and writes ginkgo's report to a file. Tests that
// fail are no error; that the report is missing is.
func (s *suite) run(ctx context.Context, kubeconfig string, procs int, tests []string, report, log string) error {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	var quoted []string
	for _, t := range tests {
		quoted = append(quoted, regexp.QuoteMeta(t))
	}
	args := []string{
		"--procs=" + strconv.Itoa(procs), "--no-color", "--succinct", "--silence-skips", "--keep-going",
		"--timeout=" + s.timeout.String(), "--grace-period=30s", "--poll-progress-after=0",
		"--output-dir=" + filepath.Dir(report), "--json-report=" + filepath.Base(report),
		"--focus=(" + strings.Join(quoted, "|") + ")$",
		s.tests.Program("e2e.test"), "--",
		"--kubeconfig=" + kubeconfig, "--provider=skeleton", "--num-nodes=1", "--allowed-not-ready-nodes=0", "--minStartupPods=0",
		"--disable-log-dump",
	}
	cmd := exec.CommandContext(ctx, s.tests.Program("ginkgo"), args...)
	cmd.Stdout, cmd.Stderr = out, out
	// Interrupted, ginkgo writes what it knows; another signal it gets from a
	// terminal by itself, and a second one would cut it short.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Minute
	runErr := cmd.Run()
	if _, err := os.Stat(report); err != nil {
		return fmt.Errorf("run Kubernetes' tests: %w; what they said is in %s", errors.Join(runErr, err), log)
	}
	return ctx.Err()
}
