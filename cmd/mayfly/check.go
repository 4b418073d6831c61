package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// patience is how long something may take without a word about it.
const patience = 500 * time.Millisecond

// check loads a module or a component as an engine would and lets go of it. Its error
// is what a pod with that would be told; else it returns what starts an instance there.
func check(ctx context.Context, file string, wasm []byte, c config.Sidecar, stderr io.Writer) (config.TriggerKind, error) {
	defer notice(stderr, compiling(file, wasm))()
	o := wasihttp.Options{Wasm: wasm, Sidecar: c, Log: slog.New(slog.DiscardHandler), GuestLog: io.Discard}
	if c.Snapshot { // what a guest has of its directories may be in the way of one
		root, err := emptyRoot()
		if err != nil {
			return "", err
		}
		defer root.remove()
		o.Files = root.files
	}
	app, err := wasihttp.Load(ctx, o)
	if err != nil {
		return "", err
	}
	return app.Trigger, app.Close(ctx)
}

// root is a directory that takes the place of a container's.
type root struct {
	dir   string
	files *guestfs.Files
}

func emptyRoot() (root, error) {
	dir, err := os.MkdirTemp("", "mayfly-*")
	if err != nil {
		return root{}, fmt.Errorf("make a root for the guest: %w: set TMPDIR to a directory that can be written", err)
	}
	files, err := guestfs.OpenDirs([]guestfs.Mount{{Host: dir, Guest: "/"}})
	if err != nil {
		_ = os.RemoveAll(dir)
		return root{}, err
	}
	return root{dir, files}, nil
}

// remove leaves nothing of it, as far as that can be.
func (r root) remove() {
	_ = r.files.Close()
	_ = os.RemoveAll(r.dir)
}

func compiling(file string, wasm []byte) string {
	return fmt.Sprintf("mayfly: compiling %s, %s …", file, humanBytes(int64(len(wasm))))
}

// notice writes text when stop is not called within patience.
func notice(w io.Writer, text string) (stop func()) {
	written := make(chan struct{})
	t := time.AfterFunc(patience, func() {
		defer close(written)
		fmt.Fprintln(w, text)
	})
	return func() {
		if !t.Stop() {
			<-written
		}
	}
}
