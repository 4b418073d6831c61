//go:build linux

package kind

import (
	"context"
	"os"
	"path/filepath"

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
	for _, archive := range append(append(archives, guests), times...) {
		if err := c.Load(ctx, archive); err != nil {
			return err
		}
	}
	return nil
}
