package instance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/runtime/codecache"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// recorder compiles modules and writes the code to files.
type recorder struct {
	dir     string
	cache   *codecache.Cache
	modules int // that have been compiled
}

var _ code = (*recorder)(nil)

// NewRecorder returns a runtime that writes the code of what it loads into an empty directory, to be used with [NewRuntimeFrom] when all of it
// is loaded and [Runtime.Seal] has been called. No limit of memory is part of the code.
func NewRecorder(ctx context.Context, dir string) (*Runtime, error) {
	cache, err := codecache.New()
	if err != nil {
		return nil, err
	}
	return newRuntime(ctx, Limits{Memory: maxMemory}, &recorder{dir: dir, cache: cache})
}

// Seal ends the recording of what was loaded. It is of a module or component, the sha256 of which is given.
func (r *Runtime) Seal(module [sha256.Size]byte) error {
	o := r.origin()
	o.Module = hex.EncodeToString(module[:])
	return compiled.Seal(r.code.(*recorder).dir, o)
}

func (c *recorder) configure(config wazero.RuntimeConfig) wazero.RuntimeConfig {
	return c.cache.Configure(config)
}

// digest is that of the module's outline, which is all that there will be of the module when the code is loaded. It has a hash of the module in it.
func (c *recorder) digest(wasm []byte) ([sha256.Size]byte, error) {
	outline, err := weave.Outline(wasm)
	if err != nil {
		return [sha256.Size]byte{}, malformed(err)
	}
	return sha256.Sum256(outline), nil
}

func (c *recorder) compile(ctx context.Context, r *Runtime, key codeKey, weaver func() ([]byte, error)) (wazero.CompiledModule, error) {
	woven, err := weaver()
	if err != nil {
		return nil, err
	}
	m := moduleRest{key: key}
	var compiled wazero.CompiledModule
	err = c.write(codeFile(c.modules), func(f *os.File) error {
		var err error
		compiled, m.code, err = c.cache.Compile(ctx, r.engine, woven, f)
		if onDisk := new(fs.PathError); errors.As(err, &onDisk) {
			return err
		}
		return refused(err)
	})
	if err != nil {
		return nil, err
	}
	if m.skeleton, err = weave.Skeleton(woven); err != nil {
		return nil, errors.Join(malformed(err), compiled.Close(ctx))
	}
	if m.code.Key, err = c.cache.Key(ctx, r.engine, m.skeleton); err != nil {
		return nil, errors.Join(err, compiled.Close(ctx))
	}
	err = c.write(moduleFile(c.modules), func(f *os.File) error {
		b, err := m.append(nil)
		if err == nil {
			_, err = f.Write(b)
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, compiled.Close(ctx))
	}
	c.modules++
	return compiled, nil
}

// write writes a new file.
func (c *recorder) write(name string, contents func(f *os.File) error) error {
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("keep compiled code: %w", err)
	}
	err = contents(f)
	return errors.Join(err, f.Close())
}

func (c *recorder) prove(wazero.CompiledModule, api.Module) error { return nil }

func (c *recorder) close(ctx context.Context) error { return c.cache.Close(ctx) }
