//go:build linux

package shim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/log"
	"github.com/containerd/typeurl/v2"
	"github.com/pelletier/go-toml/v2"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/shim/code"
)

// cacheOff is the value of CompileCache for no cache.
const cacheOff = "off"

var (
	errCachePath = errors.New(`want an absolute path in quotes, or "off"`)
	errCacheSize = errors.New(`want a size in quotes, such as "2Gi"`)
)

// The names of mayfly's own among the runtime options. Only a table has them.
const (
	cacheName = "CompileCache"
	sizeName  = "CompileCacheSize"
	// ours is how they begin, and what was meant to be one of them.
	ours = "compil"
)

// storeOptions reads from runtime options where the node's cache of compiled code is. It returns nil when there is to be none.
func storeOptions(ctx context.Context, value typeurl.Any) (*code.Store, error) {
	s := &code.Store{Dir: code.DefaultDir, Limit: code.DefaultLimit}
	if value == nil || len(value.GetValue()) == 0 {
		return s, nil
	}
	v, err := typeurl.UnmarshalAny(value)
	if err != nil {
		return nil, fmt.Errorf("read runtime options: %w", err)
	}
	table, ok := v.(*runtimeoptions.Options)
	if !ok {
		return s, nil
	}
	text, from, err := readTable(table)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := toml.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read runtime options from %s: %w", from, err)
	}
	off := false
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text, _ := all[name].(string) // what is no text is refused as an empty one is
		var err error
		switch {
		case strings.EqualFold(name, cacheName):
			if off = text == cacheOff; !off {
				err = setDir(s, text)
			}
		case strings.EqualFold(name, sizeName):
			err = setLimit(s, text)
		case strings.HasPrefix(strings.ToLower(name), ours):
			log.G(ctx).Warnf("runtime options from %s: %s is unknown and ignored; there are %s and %s", from, name, cacheName, sizeName)
		}
		if err != nil {
			return nil, fmt.Errorf("read runtime options from %s: %s%s: %w", from, name, written(all[name]), err)
		}
	}
	if off {
		return nil, nil
	}
	return s, nil
}

// written is a value as it stands behind its name, where that is short.
func written(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf(" = %q", v)
	case int64, float64, bool:
		return fmt.Sprintf(" = %v", v)
	}
	return ""
}

func setDir(s *code.Store, path string) error {
	if !filepath.IsAbs(path) {
		return errCachePath
	}
	s.Dir = path
	return nil
}

func setLimit(s *code.Store, size string) error {
	n, err := config.ParseBytes(size)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return errCacheSize
	}
	s.Limit = int64(n)
	return nil
}
