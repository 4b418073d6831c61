package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/internal/nodecache"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// codeLimit bounds what is kept of compiled code, in bytes: what was not used for the longest time goes.
const codeLimit = 2 << 30

// keptCode is compiled code that is in use, and so is not removed.
type keptCode struct {
	cache *nodecache.Cache
	entry *nodecache.Entry
}

// keepCode finds the code of a module in the user's cache, or compiles it into that. It is for nobody but this user, and for this very program.
func keepCode(ctx context.Context, wasm []byte) (*keptCode, error) {
	dir, err := codeDir()
	if err != nil {
		return nil, err
	}
	program, err := openProgram()
	if err != nil {
		return nil, err
	}
	defer program.Close()
	k := &keptCode{}
	if k.cache, err = nodecache.OpenFor(dir, program); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(wasm)
	k.entry, _, err = k.cache.FillWhole(ctx, digest, nodecache.Maker{
		Fill:   func(ctx context.Context, w nodecache.Work) error { return wasihttp.Compile(ctx, wasm, w.Dir) },
		Verify: func(dir string) error { return compiled.Verify(dir, digest) },
		Tries:  2,
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// openProgram opens this program's file.
func openProgram() (*os.File, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// close lets others remove the code, and makes room. Who may only read the cache cannot: then the next makes it who may write.
func (k *keptCode) close() error {
	err := k.entry.Close()
	_ = k.cache.Evict(codeLimit)
	return err
}

// loadApp loads what the site serves, with code that is kept if that can be.
func (s *site) loadApp(ctx context.Context, o wasihttp.Options) (*wasihttp.App, error) {
	if s.noCache {
		return wasihttp.Load(ctx, o)
	}
	code, err := keepCode(ctx, s.wasm)
	if err != nil {
		return loadUncached(ctx, o, err)
	}
	app, err := wasihttp.LoadCompiled(ctx, code.entry.Path(), o)
	if err == nil {
		s.code = code
		return app, nil
	}
	if err := code.close(); err != nil {
		o.Log.Debug("compiled code is not put back", "error", err)
	}
	if ctx.Err() != nil || errors.Is(err, wasihttp.ErrTrigger) || errors.Is(err, instance.ErrSnapshot) {
		return nil, err
	}
	return loadUncached(ctx, o, err)
}
