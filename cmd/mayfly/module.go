package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// maxModule bounds what is read into memory as a module. The format itself
// allows 4 GiB; what a compiler makes of the largest real ones stays far below.
const maxModule = 256 << 20

// patience is how long something may take without a word about it.
const patience = 500 * time.Millisecond

// readModule reads the file at path, which should be a module.
func readModule(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: give the .wasm file in it", path)
	}
	p, err := io.ReadAll(io.LimitReader(f, maxModule+1))
	if err != nil {
		return nil, err
	}
	if len(p) > maxModule {
		return nil, fmt.Errorf("%s has more than %s: too large for a module", path, humanBytes(maxModule))
	}
	return p, nil
}

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
