package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// patience is how long something may take without a word about it.
const patience = 500 * time.Millisecond

// checkModule loads a module as an engine would and lets go of it: what it
// returns is what a pod with that module would be told.
func checkModule(ctx context.Context, file string, wasm []byte, c config.Sidecar, stderr io.Writer) error {
	defer notice(stderr, compiling(file, wasm))()
	rt, err := instance.NewRuntime(ctx, instance.Limits{Memory: c.Memory})
	if err != nil {
		return err
	}
	_, err = rt.Load(ctx, wasm)
	return errors.Join(err, rt.Close(ctx))
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
