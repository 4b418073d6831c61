package wasihttp

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// maxModule bounds a module's file, in bytes: what is larger would be refused once it had been read.
const maxModule = weave.MaxModule

// ErrModuleFile is wrapped by what [ReadModule] returns for a file that cannot be a module, whatever it holds.
var ErrModuleFile = errors.New("cannot be a module")

// ReadModule reads a module's file. Symbolic links are followed: images have them.
func ReadModule(path string) ([]byte, error) {
	// Without O_NONBLOCK opening a named pipe would wait for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("read the module: %s %w: it is a directory: give the .wasm file in it", path, ErrModuleFile)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read the module: %s %w: it is not a regular file", path, ErrModuleFile)
	case info.Size() > maxModule:
		return nil, fmt.Errorf("read the module: %s %w: it has %d MiB, more than %d: strip it of debug information", path, ErrModuleFile, info.Size()>>20, maxModule>>20)
	}
	// The size may lie, as that of a file that is being written does.
	wasm := make([]byte, info.Size())
	n, err := io.ReadFull(f, wasm)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	return wasm[:n], nil
}
