//go:build linux

package kind

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// loadAll loads the images of scenarios, examples and benchmarks.
func (c *Cluster) loadAll(ctx context.Context, cache *lab.Cache) error {
	dir, err := os.MkdirTemp("", "mayfly-images-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	archives, err := cache.Images()
	if err != nil {
		return err
	}
	guests := filepath.Join(dir, "guests.tar")
	if err := lab.WriteGuests(guests); err != nil {
		return err
	}
	times, err := lab.PackTime(dir)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, archive := range append(append(archives, guests), times...) {
		g.Go(func() error { return c.Load(ctx, archive) })
	}
	return g.Wait()
}
