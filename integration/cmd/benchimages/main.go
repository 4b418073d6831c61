//go:build linux

// Command benchimages makes the images of mayfly bench cluster, and their list: archives that kind load image-archive, ctr image import and
// docker load take, or, with -registry, images in a registry that a cluster can pull from.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"text/tabwriter"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/clusterbench"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

func main() { os.Exit(doMain(os.Args[1:], os.Stdout, os.Stderr)) }

func doMain(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("benchimages", flag.ContinueOnError)
	set.SetOutput(stderr)
	dir := set.String("o", "out/bench-images", "`directory` to write to")
	registry := set.String("registry", "", "push them, with names that begin so, as in registry.example/team; docker login has said who you are")
	arch := set.String("arch", runtime.GOARCH, "of the nodes: amd64 or arm64")
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unknown argument %q", set.Arg(0))
		fmt.Fprintln(stderr, "benchimages:", err)
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *dir, *registry, *arch, stdout); err != nil {
		fmt.Fprintln(stderr, "benchimages:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, dir, registry, arch string, stdout io.Writer) error {
	platform, err := ociimage.ParsePlatform("linux/" + arch)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	m := &maker{dir: dir, registry: registry, platform: platform, progress: lab.NewProgress(os.Stderr)}
	if err := m.all(ctx); err != nil {
		return err
	}
	if registry != "" {
		for i := range m.made {
			if err := m.progress.Do("push "+m.made[i].Ref, func() error { return m.push(ctx, &m.made[i]) }); err != nil {
				return err
			}
		}
	}
	if err := clusterbench.WriteImages(dir, m.made); err != nil {
		return err
	}
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, i := range m.made {
		fmt.Fprintf(t, "%s\t%s\t%s\n", i.Name, i.Ref, i.File)
	}
	return t.Flush()
}
