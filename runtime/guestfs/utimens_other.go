//go:build !linux

package guestfs

import (
	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// futimens sets times to the microsecond. A time that is to stay is read and written again.
func futimens(fd int, atime, mtime int64) error {
	if atime == sys.UTIME_OMIT || mtime == sys.UTIME_OMIT {
		return unix.ENOSYS
	}
	return unix.Futimes(fd, []unix.Timeval{unix.NsecToTimeval(atime), unix.NsecToTimeval(mtime)})
}
