package guestfs

import (
	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

func timespecs(atime, mtime int64) []unix.Timespec {
	one := func(ns int64) unix.Timespec {
		if ns == sys.UTIME_OMIT {
			return unix.Timespec{Nsec: unix.UTIME_OMIT}
		}
		return unix.NsecToTimespec(ns)
	}
	return []unix.Timespec{one(atime), one(mtime)}
}

func futimens(fd int, atime, mtime int64) error {
	ts := timespecs(atime, mtime)
	return unix.UtimesNanoAt(fd, "", ts, unix.AT_EMPTY_PATH)
}
