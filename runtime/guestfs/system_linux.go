package guestfs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

func timespecs(accessed, modified NewTime) []unix.Timespec {
	one := func(t NewTime) unix.Timespec {
		switch t.kind {
		case omit:
			return unix.Timespec{Nsec: unix.UTIME_OMIT}
		case now:
			return unix.Timespec{Nsec: unix.UTIME_NOW}
		}
		return t.at
	}
	return []unix.Timespec{one(accessed), one(modified)}
}

func utimensat(dir int, name string, accessed, modified NewTime) error {
	return unix.UtimesNanoAt(dir, name, timespecs(accessed, modified), unix.AT_SYMLINK_NOFOLLOW)
}

// futimens is utimensat without a path, which package unix does not offer; with an empty one it needs Linux 5.8.
func futimens(fd int, accessed, modified NewTime) error {
	ts := timespecs(accessed, modified)
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&ts[0])), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func fdatasync(fd int) error { return unix.Fdatasync(fd) }

func advise(fd int, offset, length int64, a Advice) error {
	advices := [...]int{
		Normal: unix.FADV_NORMAL, Sequential: unix.FADV_SEQUENTIAL, Random: unix.FADV_RANDOM,
		WillNeed: unix.FADV_WILLNEED, DontNeed: unix.FADV_DONTNEED, NoReuse: unix.FADV_NOREUSE,
	}
	if a < 0 || int(a) >= len(advices) {
		return unix.EINVAL
	}
	return unix.Fadvise(fd, offset, length, advices[a])
}

// appendTo writes at the end whatever others write there meanwhile, and leaves the descriptor's flags alone: its other writes go where they
// are told.
func appendTo(fd int, b []byte) (int, error) {
	n, err := unix.Pwritev2(fd, [][]byte{b}, 0, unix.RWF_APPEND)
	if err == unix.EOPNOTSUPP || err == unix.ENOSYS {
		return writeAtEnd(fd, b)
	}
	return n, err
}
