//go:build !linux

package guestfs

import (
	"errors"

	"github.com/tetratelabs/wazero"
)

// Container is for containers, which only Linux has.
func Container() (wazero.FSConfig, error) {
	return nil, describe("/", errors.New("only on Linux: name the directories instead"))
}
