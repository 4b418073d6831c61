package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mayfly-run/mayfly/wasihttp"
)

// worthKeeping is how long compiling takes before it is worth a line that the next start will take as long.
const worthKeeping = time.Second

// codeDir is where this user's compiled code is kept.
func codeDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "mayfly", "compiled"), nil
}

// loadUncached loads an app with code of its own, because the cache cannot be used: why tells the reason. A module that cannot be compiled is
// refused here, in the words that it has without a cache.
func loadUncached(ctx context.Context, o wasihttp.Options, why error) (*wasihttp.App, error) {
	begin := time.Now()
	app, err := wasihttp.Load(ctx, o)
	if err == nil {
		tellUncached(ctx, o.Log, time.Since(begin), why)
	}
	return app, err
}

// tellUncached warns of it where that costs the next start something.
func tellUncached(ctx context.Context, log *slog.Logger, took time.Duration, why error) {
	level := slog.LevelDebug
	if took > worthKeeping {
		level = slog.LevelWarn
	}
	dir, _ := codeDir() // without one, why says so
	log.Log(ctx, level, "compiled code is not kept: each start takes as long, until the directory can be used; --no-cache does without",
		"directory", dir, "took", took.Round(time.Millisecond), "error", why)
}
