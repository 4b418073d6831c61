//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
)

// kubectl is there for who has none.
func kubectl() *cobra.Command {
	return &cobra.Command{
		Use: "kubectl [ARG...]", Short: "Run kubectl on the cluster", DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := find()
			if err != nil {
				return err
			}
			return k.run(exec.CommandContext(cmd.Context(), k.Kubectl, args...))
		},
	}
}

func load() *cobra.Command {
	return &cobra.Command{
		Use: "load ARCHIVE...", Short: "Make the images in archives known to the node", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, archives []string) error {
			k, err := find()
			if err != nil {
				return err
			}
			for _, a := range archives {
				if err := k.run(exec.CommandContext(cmd.Context(), k.Ctr, "--address", k.Socket, "--namespace", "k8s.io", "images", "import", a)); err != nil {
					return fmt.Errorf("load %s: %w", a, err)
				}
			}
			return nil
		},
	}
}

func (k *kept) run(cmd *exec.Cmd) error {
	cmd.Env = append(os.Environ(), "KUBECONFIG="+k.Kubeconfig)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
