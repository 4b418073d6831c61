//go:build linux

// Package beneath opens paths inside of a container's root filesystem from outside, so that no symbolic link leads out of it.
package beneath

import (
	"errors"
	"fmt"
	"os"

	securejoin "github.com/cyphar/filepath-securejoin"
	"golang.org/x/sys/unix"
)

// maxTries bounds how often a path is looked up again. The kernel gives up on one with ".." when anything on the node
// is renamed or mounted meanwhile.
const maxTries = 128

// Open opens path as if root, a directory's descriptor, were the root directory. Flags are those of open(2).
func Open(root int, path string, flags int) (int, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	for range maxTries {
		fd, err := unix.Openat2(root, path, &how)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOSYS):
			return openOld(root, path, flags)
		}
		return fd, err
	}
	return -1, unix.EAGAIN
}

// openOld is Open for kernels before 5.6. It looks a path up and then opens it: in between, nobody may change the tree. So it serves
// for a root filesystem whose container does not run yet.
func openOld(root int, path string, flags int) (int, error) {
	base, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", root))
	if err != nil {
		return -1, err
	}
	full, err := securejoin.SecureJoin(base, path)
	if err != nil {
		return -1, err
	}
	return unix.Open(full, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
}
