//go:build !linux

package guestfs

import (
	"errors"

	"golang.org/x/sys/unix"
)

const stepFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NONBLOCK

// OpenContainer is for containers, which only Linux has.
func OpenContainer() (*Files, error) {
	return nil, describe("/", errors.New("only on Linux: name the directories instead"))
}
