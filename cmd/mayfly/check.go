package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// patience is how long something may take without a word about it.
const patience = 500 * time.Millisecond

// check loads a module or a component as an engine would and lets go of it. Its error
// is what a pod with that would be told; else it returns what starts an instance there.
func check(ctx context.Context, file string, wasm []byte, c config.Sidecar, stderr io.Writer) (config.TriggerKind, error) {
	defer notice(stderr, compiling(file, wasm))()
	app, err := wasihttp.Load(ctx, wasihttp.Options{Wasm: wasm, Sidecar: c, Log: slog.New(slog.DiscardHandler), GuestLog: io.Discard})
	if err != nil {
		return "", err
	}
	return app.Trigger, app.Close(ctx)
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
