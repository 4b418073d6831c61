//go:build linux

// Command lab makes what the integration tests run on, and gives a person a
// shell in it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/integration/lab"
)

func main() {
	lab.Main()
	os.Exit(doMain())
}

func doMain() int {
	root := &cobra.Command{
		Use:           "lab",
		Short:         "Real containerd in a sandbox, for tests and for trying things",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(deps(), shell())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		return 1
	}
	return 0
}

func deps() *cobra.Command {
	return &cobra.Command{
		Use:     "deps",
		Short:   "Build and download everything the integration tests need, or say why they cannot run here",
		Example: "  go run ./integration/cmd/lab deps",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lacking := lab.Check(); lacking != nil {
				fmt.Fprintf(cmd.OutOrStdout(), "the scenarios on real containerd are skipped: this %v\n", lacking)
				return nil
			}
			c, err := lab.OpenCache(lab.NewProgress(os.Stderr))
			if err != nil {
				return err
			}
			versions, missing := c.Versions()
			for _, v := range versions {
				if _, err := c.Containerd(v); err != nil {
					return err
				}
			}
			if missing != nil {
				fmt.Fprintln(os.Stderr, "lab: left out:", missing)
			}
			if _, err := c.Kubernetes(); err != nil {
				return err
			}
			_, err = c.Images()
			return err
		},
	}
}

func shell() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "shell [COMMAND [ARG...]]",
		Short: "Start a node with containerd and run a shell, or a command, in it",
		Long: `Start a node with containerd and run a shell, or a command, in it. ctr, runc and the mayfly shim from bin/
are on its PATH, and the images of the integration tests are imported. When the command ends, so does the node.`,
		Example: `  go run ./integration/cmd/lab shell
  go run ./integration/cmd/lab shell --containerd 1.7.35 ctr version`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"bash"}
			}
			return run(cmd.Context(), version, args)
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVar(&version, "containerd", lab.Containerd24, "version of containerd")
	return cmd
}

func run(ctx context.Context, version string, args []string) (err error) {
	if ctx == nil {
		ctx = context.Background()
	}
	c, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return err
	}
	install, err := c.Containerd(version)
	if err != nil {
		return err
	}
	images, err := c.Images()
	if err != nil {
		return err
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return err
	}
	n, err := lab.Up(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Down()) }()
	ctrd, err := n.StartContainerd(ctx, install, bin)
	if err != nil {
		return err
	}
	for _, i := range images {
		if err := ctrd.Import(ctx, i); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "containerd %s, log %s\n", install.Version, ctrd.Log())
	cmd := ctrd.Command(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return n.Run(cmd)
}
