//go:build !linux

package guestfs

import (
	"time"

	"golang.org/x/sys/unix"
)

// timespecs makes a time that is to stay one that is set again: the system has no other way.
func timespecs(st *unix.Stat_t, accessed, modified NewTime) []unix.Timespec {
	one := func(t NewTime, old unix.Timespec) unix.Timespec {
		switch t.kind {
		case omit:
			return old
		case now:
			return unix.NsecToTimespec(time.Now().UnixNano())
		}
		return t.at
	}
	return []unix.Timespec{one(accessed, st.Atim), one(modified, st.Mtim)}
}

func utimensat(dir int, name string, accessed, modified NewTime) error {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, name, timespecs(&st, accessed, modified), unix.AT_SYMLINK_NOFOLLOW)
}

// futimens sets times to the microsecond.
func futimens(fd int, accessed, modified NewTime) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	ts := timespecs(&st, accessed, modified)
	return unix.Futimes(fd, []unix.Timeval{unix.NsecToTimeval(ts[0].Nano()), unix.NsecToTimeval(ts[1].Nano())})
}

func fdatasync(fd int) error { return unix.Fsync(fd) }

func advise(int, int64, int64, Advice) error { return nil }

func appendTo(fd int, b []byte) (int, error) { return writeAtEnd(fd, b) }
