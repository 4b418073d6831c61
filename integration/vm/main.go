//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/integration/lab"
)

func main() { os.Exit(doMain()) }

// settings are what a run is asked for.
type settings struct {
	run      string
	skip     string
	bin      string
	cluster  bool
	accel    string
	memory   int
	patience int
	timeout  time.Duration
}

func doMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	cmd := &cobra.Command{
		Use:           "vm",
		Short:         "The scenarios on real containerd once more, in a virtual machine with cgroups of version 2",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.complete()
			return s.do(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.run, "run", "", "which tests, as go test -run has it (default those on containerd "+lab.Containerd24+", or all on Kubernetes)")
	f.StringVar(&s.skip, "skip", "", "which of them not, in the same way")
	f.StringVar(&s.bin, "bin", "bin", "directory with mayfly's programs")
	f.BoolVar(&s.cluster, "cluster", false, "the scenarios on Kubernetes, of integration/cluster")
	f.StringVar(&s.accel, "accel", "tcg", "what the machine runs on: tcg, or kvm where the kernel is allowed it")
	f.IntVar(&s.memory, "memory", 0, "its memory, in MiB (default 4096, or 8192 with Kubernetes)")
	f.IntVar(&s.patience, "patience", 15, "how many times longer than usual the tests wait")
	f.DurationVar(&s.timeout, "timeout", 3*time.Hour, "when it is switched off")
	err := cmd.ExecuteContext(ctx)
	if code := (exitCode)(0); errors.As(err, &code) {
		return int(code)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		return 1
	}
	return 0
}

// complete gives what was not asked for its default.
func (s *settings) complete() {
	run, memory := "TestScenarios/containerd_"+lab.Containerd24, 4096
	if s.cluster {
		run, memory = "TestScenarios", 8192
	}
	s.run = cmp.Or(s.run, run)
	s.memory = cmp.Or(s.memory, memory)
}

// exitCode is the tests', when they fail.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("the tests exit with %d", int(c)) }

func (s settings) do(ctx context.Context) (err error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return err
	}
	root, err := rootDisk(cache)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(cache.Dir, "vm-") // where files of the cache can be linked to
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m := &machine{kernel: root.kernel(), root: root.disk(), initrd: dir + "/initrd", payload: dir + "/payload.img", settings: s}
	err = cache.Progress.Do("build what is run in the machine", func() error {
		if err := root.writeInitrd(ctx, m.initrd); err != nil {
			return err
		}
		return writePayload(ctx, cache, dir, m.payload, s)
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return m.boot(ctx, os.Stdout)
}
