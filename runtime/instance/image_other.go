//go:build !linux

package instance

import (
	"errors"
	"os"
)

func newImageFile(uint64, func([]byte)) (*os.File, error) { return nil, errors.ErrUnsupported }

func allocated(*os.File) uint64 { return 0 }

func mapFile(*os.File, uint64) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapFile([]byte) {}

func forget([]byte) {}
