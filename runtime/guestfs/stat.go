package guestfs

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// Stat is what is known of a file.
type Stat struct {
	Dev, Ino uint64 // which file it is
	Links    uint64
	Mode     fs.FileMode
	Size     int64
	Accessed time.Time
	Modified time.Time
	Changed  time.Time // it or what is known of it
}

func statOf(st *unix.Stat_t) Stat {
	return Stat{
		Dev: uint64(st.Dev), Ino: st.Ino, Links: uint64(st.Nlink), Mode: modeOf(uint32(st.Mode)), Size: st.Size,
		Accessed: time.Unix(st.Atim.Unix()), Modified: time.Unix(st.Mtim.Unix()), Changed: time.Unix(st.Ctim.Unix()),
	}
}

func modeOf(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return m
	case unix.S_IFDIR:
		return m | fs.ModeDir
	case unix.S_IFLNK:
		return m | fs.ModeSymlink
	case unix.S_IFIFO:
		return m | fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return m | fs.ModeSocket
	case unix.S_IFCHR:
		return m | fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		return m | fs.ModeDevice
	}
	return m | fs.ModeIrregular
}

// NewTime is what one of a file's times is to become. The zero NewTime leaves it as it is.
type NewTime struct {
	kind timeKind
	at   unix.Timespec
}

type timeKind int

const (
	omit timeKind = iota
	now
	given
)

// Now is the time at which it is set.
func Now() NewTime { return NewTime{kind: now} }

// At is a time in seconds and nanoseconds since 1970. The nanoseconds are less than a billion.
func At(seconds, nanoseconds int64) NewTime {
	var t NewTime
	t.kind = given
	t.at.Sec, t.at.Nsec = seconds, nanoseconds
	return t
}
