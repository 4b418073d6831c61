package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mayfly-run/mayfly/internal/clusterbench"
	"github.com/mayfly-run/mayfly/internal/progress"
	"github.com/mayfly-run/mayfly/internal/version"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what a cold start costs on a Kubernetes cluster",
		Long: `Measure what a cold start costs, on a Kubernetes cluster of yours. There is one
command, mayfly bench cluster; its help says what it does.`,
		Example: `  mayfly bench cluster --context kind-mayfly`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return noCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(newBenchCluster())
	return cmd
}

// mostPods bounds how many pods are woken at once.
const mostPods = 500

func newBenchCluster() *cobra.Command {
	var o clusterbench.Options
	var parts, out string
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Measure pods, sidecars and containers on a cluster, and write a report",
		Long: `Measure on a real cluster, from inside of its pods, and never mixed:

  a  pod start, from create to Ready: with a sidecar of mayfly, with a container
     in its place (a Go server, nginx), without any
  b  the first request of a new pod
  c  the first request after deep idle: the engine has left
  d  requests with a warm engine, a fresh instance each: p50, p99, p99.9, and how
     many in a second with 8 and 64 at once
  e  memory at rest: sidecar, engine, shim, pod
  f  many pods woken at the same moment

The containers are asked the same things in the same rounds; ratios are to the Go
server in its container. Sidecars are programs in C, Rust, Go and JavaScript.

It takes the kubeconfig that kubectl takes. The nodes need mayfly and its RuntimeClass,
and the images, which make bench-images writes in a checkout of mayfly: load the
archives into each node, or push them with REGISTRY=. Nodes that the RuntimeClass does
not select are left alone. Where an image is missing, or anything else stops a pod, the
run ends with a sentence that says what to do. Which rights it needs is in
examples/bench-role.yaml.

All that it makes is in a namespace of its own, mayfly-bench-…, which is removed in
the end, also after Ctrl-C. One of its pods is privileged, to read what processes of
its node hold; --privileged=false does without, and without some figures.

The table is on stdout. All figures are in bench-cluster.json, and the report with its
plots is bench-cluster.html, in the directory --out; both names follow --name.`,
		Example: `  mayfly bench cluster --context kind-mayfly
  mayfly bench cluster --context prod-eu --images out/bench-images --node worker-3
  mayfly bench cluster --quick --run a,b,d
  mayfly bench cluster --run f --wake-pods 50 -o json`,
		Args: noArgs,
	}
	f := cmd.Flags()
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "`file` that names clusters (default: as kubectl, KUBECONFIG or ~/.kube/config)")
	f.StringVar(&o.Context, "context", "", "`name` of the cluster in it (default: the current one)")
	f.StringVar(&o.Node, "node", "", "`name` of the node of single pods (default: the first of the RuntimeClass's that is not the control plane's)")
	f.StringVar(&o.RuntimeClass, "runtime-class", "mayfly", "`name` of mayfly's RuntimeClass")
	f.StringVar(&o.Images, "images", filepath.Join("out", "bench-images"), "`directory` with the list of images")
	f.StringVar(&parts, "run", "a,b,c,d,e,f", "`letters` of the parts to be measured")
	f.BoolVar(&o.Quick, "quick", false, "measure less, to see that all works")
	f.IntVar(&o.WakePods, "wake-pods", 100, "`number` of pods woken at once, as far as the nodes have room; 20 at most with --quick")
	f.BoolVar(&o.Privileged, "privileged", true, "let one pod read the processes of its node")
	f.StringVar(&out, "out", "out", "`directory` to write to")
	name := f.String("name", "bench-cluster", "`name` of the files that are written, less .json and .html")
	format := formatFlag(cmd, "o")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if o.Parts, err = clusterbench.ParseParts(parts); err != nil {
			return usageError{fmt.Errorf("--run: %w", err)}
		}
		if o.WakePods < 1 || o.WakePods > mostPods {
			return usagef("--wake-pods %d: want from 1 to %d", o.WakePods, mostPods)
		}
		if *name == "" || *name != filepath.Base(*name) {
			return usagef("--name %q: want the name of a file", *name)
		}
		o.Version, o.Command = version.Version, benchCommand(cmd)
		results, failed := clusterbench.Run(cmd.Context(), o, progress.New(cmd.ErrOrStderr()))
		if results == nil {
			return failed
		}
		base := filepath.Join(out, *name)
		if err := errors.Join(results.Save(base+".json"), results.Page().Save(base+".html")); err != nil {
			return errors.Join(failed, err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "mayfly: written to %s.json and %s.html\n", base, base)
		return errors.Join(failed, format.write(cmd.OutOrStdout(), results, results.Print))
	}
	return cmd
}

// benchCommand is the command line that measures the same again.
func benchCommand(cmd *cobra.Command) string {
	words := []string{cmd.CommandPath()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "format", "out", "name", "kubeconfig":
		default:
			words = append(words, "--"+f.Name+"="+f.Value.String())
		}
	})
	return strings.Join(words, " ")
}
