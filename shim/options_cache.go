//go:build linux

package shim

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/typeurl/v2"
	"github.com/pelletier/go-toml/v2"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/shim/code"
)

// cacheOff is the value of CompileCache for no cache.
const cacheOff = "off"

var (
	errCachePath = errors.New(`want an absolute path, or "off"`)
	errCacheSize = errors.New("want a size, for example 2Gi")
)

// cacheOptions are mayfly's own among the runtime options. Only a table has them.
type cacheOptions struct {
	CompileCache     *string
	CompileCacheSize *string
}

// storeOptions reads from runtime options where the node's cache of compiled code is. It returns nil when there is to be none.
func storeOptions(value typeurl.Any) (*code.Store, error) {
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
	var o cacheOptions
	if err := toml.Unmarshal(text, &o); err != nil {
		return nil, fmt.Errorf("read runtime options from %s: %w", from, err)
	}
	return o.apply(s, from)
}

func (o *cacheOptions) apply(s *code.Store, from string) (*code.Store, error) {
	if p := o.CompileCache; p != nil {
		if *p == cacheOff {
			return nil, nil
		}
		if !filepath.IsAbs(*p) {
			return nil, fmt.Errorf("read runtime options from %s: CompileCache = %q: %w", from, *p, errCachePath)
		}
		s.Dir = *p
	}
	if size := o.CompileCacheSize; size != nil {
		n, err := config.ParseBytes(*size)
		if err != nil || n == 0 || n > math.MaxInt64 {
			return nil, fmt.Errorf("read runtime options from %s: CompileCacheSize = %q: %w", from, *size, errCacheSize)
		}
		s.Limit = int64(n)
	}
	return s, nil
}
