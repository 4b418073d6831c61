package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mayfly-run/mayfly/internal/config"
)

// maxModule bounds what is read into memory as a module. The format itself
// allows 4 GiB; what a compiler makes of the largest real ones stays far below.
const maxModule = 256 << 20

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

// checkModule says why a module cannot run, in the words a pod would get.
func checkModule(_ context.Context, file string, wasm []byte, _ config.Sidecar, _ io.Writer) error {
	switch {
	case len(wasm) < 8 || string(wasm[:4]) != "\x00asm":
		return errors.New("not WebAssembly: build it for wasip1")
	case wasm[6] != 0:
		return errors.New("a component: components are not supported yet, build a core module for wasip1")
	}
	return nil
}
