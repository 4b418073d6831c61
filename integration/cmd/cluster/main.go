//go:build linux

// Command cluster keeps a cluster of one node up; see the package
// integration/cluster. It is what make cluster runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/integration/cluster"
	"github.com/mayfly-run/mayfly/integration/keep"
	"github.com/mayfly-run/mayfly/integration/lab"
)

func main() {
	lab.Main()
	os.Exit(doMain())
}

func doMain() int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	root := &cobra.Command{
		Use: "cluster", Short: "Kubernetes on one node, in a sandbox of this machine",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.AddCommand(up(), keeper(), load(), kubectl(), down())
	if err := root.ExecuteContext(ctx); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode() // of kubectl, which has said why
		}
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	}
	return 0
}

// kept is what the commands know of the cluster that is up.
type kept struct {
	Kubeconfig string
	Kubectl    string
	Containerd string // its version
	Ctr        string
	Socket     string // containerd's
	Logs       string
}

// place is where the cluster's owner is noted, and the cache everything is
// built in.
func place() (keep.Place, *lab.Cache, error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return "", nil, err
	}
	p := keep.Place(filepath.Join(cache.Dir, "cluster"))
	return p, cache, os.MkdirAll(string(p), 0o755)
}

// find is the cluster that is up.
func find() (*kept, error) {
	p, _, err := place()
	if err != nil {
		return nil, err
	}
	k := &kept{}
	if err := p.Find(k); errors.Is(err, keep.ErrNothing) {
		return nil, fmt.Errorf("%w: make cluster", err)
	} else if err != nil {
		return nil, err
	}
	return k, nil
}

// choice is what a person may choose.
type choice struct{ containerd, bin, runtime string }

func (c *choice) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.containerd, "containerd", lab.Containerd24, "version of containerd")
	cmd.Flags().StringVar(&c.bin, "bin", "bin", "directory with mayfly's programs")
	cmd.Flags().StringVar(&c.runtime, "default-runtime", "runc", "of pods that name no RuntimeClass: runc or mayfly")
}

func up() *cobra.Command {
	var chosen choice
	cmd := &cobra.Command{
		Use: "up", Short: "Make the cluster", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lacking := lab.Check(); lacking != nil {
				return fmt.Errorf("this %w", lacking)
			}
			p, cache, err := place()
			if err != nil {
				return err
			}
			if k, err := find(); err == nil {
				fmt.Fprintf(os.Stderr, "The cluster is up already; make cluster-down ends it.\n")
				k.explain()
				return nil
			} else if !errors.Is(err, keep.ErrNothing) {
				return err
			}
			// What the cluster needs is built here, and not by the process that
			// stays.
			if err := build(cache, chosen.containerd); err != nil {
				return err
			}
			bin, err := filepath.Abs(chosen.bin)
			if err != nil {
				return err
			}
			if err := p.Start(cmd.Context(), os.Stderr, "keep", "--containerd="+chosen.containerd, "--bin="+bin, "--default-runtime="+chosen.runtime); err != nil {
				return fmt.Errorf("make the cluster: %w", err)
			}
			k, err := find()
			if err != nil {
				return err
			}
			k.explain()
			return nil
		},
	}
	chosen.flags(cmd)
	return cmd
}

func build(cache *lab.Cache, containerd string) error {
	if _, err := cache.Kubernetes(); err != nil {
		return err
	}
	if _, err := cache.Containerd(containerd); err != nil {
		return err
	}
	_, err := cache.Images()
	return err
}

// keeper is what up starts, because the cluster ends with who made it.
func keeper() *cobra.Command {
	var chosen choice
	cmd := &cobra.Command{
		Use: "keep", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, cache, err := place()
			if err != nil {
				return err
			}
			return p.Run(cmd.Context(), func(ctx context.Context) (any, func() error, error) {
				c, err := start(ctx, cache, chosen)
				if err != nil {
					return nil, nil, err
				}
				// Where it is does not change from one cluster to the next.
				text, err := os.ReadFile(c.Kubeconfig())
				if err != nil {
					return nil, nil, errors.Join(err, c.Down())
				}
				file := p.File("kubeconfig")
				if err := os.WriteFile(file, text, 0o600); err != nil {
					return nil, nil, errors.Join(err, c.Down())
				}
				return kept{
					Kubeconfig: file, Kubectl: c.Kubectl(ctx).Path, Logs: c.Node.Path("log"),
					Containerd: chosen.containerd, Ctr: c.Containerd.Install.Lookup("ctr"), Socket: c.Node.Root() + lab.Socket,
				}, func() error { return errors.Join(os.Remove(file), c.Down()) }, nil
			})
		},
	}
	chosen.flags(cmd)
	return cmd
}

func start(ctx context.Context, cache *lab.Cache, chosen choice) (c *cluster.Cluster, err error) {
	install, err := cache.Containerd(chosen.containerd)
	if err != nil {
		return nil, err
	}
	err = cache.Progress.Do("start Kubernetes "+lab.KubernetesVersion+" with containerd "+install.Version, func() error {
		c, err = cluster.Up(ctx, cache, cluster.Options{Install: install, Mayfly: chosen.bin, DefaultRuntime: chosen.runtime})
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := cache.Progress.Do("import images", func() error { return c.ImportAll(ctx, cache) }); err != nil {
		return nil, errors.Join(err, c.Down())
	}
	return c, nil
}

func down() *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "End the cluster and all that is in it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, _, err := place()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
			defer cancel()
			if err := p.Stop(ctx); errors.Is(err, keep.ErrNothing) {
				fmt.Fprintln(os.Stderr, "cluster: nothing is up")
				return nil
			} else if err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, "The cluster is gone.")
			return nil
		},
	}
}

// explain says what to do next.
func (k *kept) explain() {
	fmt.Printf("export KUBECONFIG=%s\n", k.Kubeconfig)
	fmt.Fprintf(os.Stderr, `
One node, Kubernetes %[2]s, containerd %[3]s; RuntimeClass mayfly runs sidecars. With the line above in your shell:
  %[1]s get nodes
  %[1]s apply -f integration/kind/pod.yaml
  %[1]s exec clock -c main -- curl -s localhost:8080
  go run ./integration/cmd/cluster load IMAGE.tar
  ls %[4]s
  make cluster-down               the end of it
`, k.Kubectl, lab.KubernetesVersion, k.Containerd, k.Logs)
}
