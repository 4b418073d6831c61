//go:build linux

// Command kind keeps a cluster of kind's up, with mayfly installed in its two
// nodes; see the package integration/kind. It is what make kind runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/integration/keep"
	"github.com/mayfly-run/mayfly/integration/kind"
	"github.com/mayfly-run/mayfly/integration/lab"
)

func main() {
	lab.Main()
	kind.Main()
	os.Exit(doMain())
}

func doMain() int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	root := &cobra.Command{
		Use: "kind", Short: "A cluster of two nodes, made by kind, with mayfly installed in both",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.AddCommand(up(), keeper(), load(), kubeconfig(), down())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kind:", err)
		return 1
	}
	return 0
}

// state is where the cluster's files are, and the cache everything is built in.
func state() (keep.Place, *lab.Cache, error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return "", nil, err
	}
	place := keep.Place(filepath.Join(cache.Dir, "kind"))
	return place, cache, os.MkdirAll(string(place), 0o755)
}

// find is the cluster that is up.
func find(ctx context.Context) (*kind.Cluster, error) {
	place, cache, err := state()
	if err != nil {
		return nil, err
	}
	c := &kind.Cluster{}
	if err := place.Find(c); !errors.Is(err, keep.ErrNothing) {
		return c, err
	}
	if c, err = kind.Find(ctx, cache, place.File("kubeconfig")); err != nil || c == nil {
		return nil, errors.Join(err, fmt.Errorf("%w: make kind", keep.ErrNothing))
	}
	return c, nil
}

func up() *cobra.Command {
	var bin string
	cmd := &cobra.Command{
		Use: "up", Short: "Make the cluster, or renew mayfly and the images in the one that is up", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bin, err := filepath.Abs(bin)
			if err != nil {
				return err
			}
			place, cache, err := state()
			if err != nil {
				return err
			}
			if c, err := find(cmd.Context()); err == nil {
				fmt.Fprintln(os.Stderr, "The cluster is up; mayfly and the images in it are renewed.")
				if err := c.Renew(cmd.Context(), cache, bin); err != nil {
					return err
				}
				explain(c)
				return nil
			} else if !errors.Is(err, keep.ErrNothing) {
				return err
			}
			// What the cluster needs is built here, and not by the process that
			// stays.
			image, err := kind.Prepare(cmd.Context(), cache)
			if err != nil {
				return err
			}
			if image != "" {
				_, err = kind.Up(cmd.Context(), cache, kind.Options{Mayfly: bin, Kubeconfig: place.File("kubeconfig"), Image: image})
			} else {
				err = place.Start(cmd.Context(), os.Stderr, "keep", "--bin", bin)
			}
			if err != nil {
				return fmt.Errorf("make the cluster: %w", err)
			}
			c, err := find(cmd.Context())
			if err != nil {
				return err
			}
			explain(c)
			return nil
		},
	}
	cmd.Flags().StringVar(&bin, "bin", "bin", "directory with mayfly's programs")
	return cmd
}

// keeper is what up starts where the cluster ends with who made it.
func keeper() *cobra.Command {
	var bin string
	cmd := &cobra.Command{
		Use: "keep", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, cache, err := state()
			if err != nil {
				return err
			}
			return place.Run(cmd.Context(), func(ctx context.Context) (any, func() error, error) {
				c, err := kind.Up(ctx, cache, kind.Options{Mayfly: bin, Kubeconfig: place.File("kubeconfig")})
				if err != nil {
					return nil, nil, err
				}
				return c, func() error { return c.Down(context.Background()) }, nil
			})
		},
	}
	cmd.Flags().StringVar(&bin, "bin", "bin", "directory with mayfly's programs")
	return cmd
}

func load() *cobra.Command {
	return &cobra.Command{
		Use: "load ARCHIVE...", Short: "Make the images in archives known to the nodes", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, archives []string) error {
			c, err := find(cmd.Context())
			if err != nil {
				return err
			}
			for _, a := range archives {
				if err := c.Load(cmd.Context(), a); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func kubeconfig() *cobra.Command {
	return &cobra.Command{
		Use: "kubeconfig", Short: "Print the file by which the cluster is reached", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := find(cmd.Context())
			if err == nil {
				fmt.Println(c.Kubeconfig)
			}
			return err
		},
	}
}

func down() *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "End the cluster and all that belongs to it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, _, err := state()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
			defer cancel()
			if err := place.Stop(ctx); !errors.Is(err, keep.ErrNothing) {
				return err
			}
			c, err := find(cmd.Context())
			if errors.Is(err, keep.ErrNothing) {
				fmt.Fprintln(os.Stderr, "kind: nothing is up")
				return nil
			}
			if err != nil {
				return err
			}
			return c.Down(ctx)
		},
	}
}

// explain says what to do next.
func explain(c *kind.Cluster) {
	fmt.Printf("export KUBECONFIG=%s\n", c.Kubeconfig)
	if c.Docker.Host != "" {
		fmt.Printf("export DOCKER_HOST=%s\n", c.Docker.Host)
	}
	fmt.Fprintf(os.Stderr, `
The cluster has two nodes; RuntimeClass mayfly runs sidecars. With the lines above in your shell:
  %[1]s get nodes
  %[1]s apply -f integration/kind/pod.yaml
  %[1]s exec clock -c main -- curl -s localhost:8080
  %[2]s load image-archive IMAGE.tar --name %[3]s
  make kind-test                  the scenarios, on this cluster
  make kind-down                  the end of it
`, c.Kubectl, c.Kind, kind.Name)
}
