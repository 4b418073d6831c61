package guestfs

import (
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// File is an open regular file or directory. One goroutine uses it at a time, but for the directories that guests have from the start:
// these any number may. Its errors are those of the system, of type [syscall.Errno] or wrapping one.
type File struct {
	f        *os.File
	tree     *tree
	dir      bool
	root     bool // of the tree
	shared   bool // by all guests
	closed   bool
	dev, ino uint64
}

// IsDir reports whether it is a directory.
func (f *File) IsDir() bool { return f.dir }

// ReadOnly reports whether nothing may be changed, here and below.
func (f *File) ReadOnly() bool { return f.tree.readOnly }

// Same reports whether two are the same file or directory.
func (f *File) Same(other *File) bool { return f.dev == other.dev && f.ino == other.ino }

// Stat returns what is known of the file.
func (f *File) Stat() (Stat, error) {
	var st unix.Stat_t
	if err := f.control(func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return Stat{}, err
	}
	return statOf(&st), nil
}

// ReadAt reads, as io.ReaderAt has it.
func (f *File) ReadAt(b []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, unix.EINVAL
	}
	return f.f.ReadAt(b, offset)
}

// WriteAt writes, as io.WriterAt has it.
func (f *File) WriteAt(b []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, unix.EINVAL
	}
	return f.f.WriteAt(b, offset)
}

// Append writes at the end.
func (f *File) Append(b []byte) (n int, err error) {
	for n < len(b) {
		var written int
		err := f.control(func(fd int) (err error) {
			written, err = appendTo(fd, b[n:])
			return err
		})
		if err != nil {
			return n, err
		}
		if written == 0 {
			return n, io.ErrShortWrite
		}
		n += written
	}
	return n, nil
}

// Truncate sets the size. What is new is zero.
func (f *File) Truncate(size int64) error {
	switch {
	case f.tree.readOnly:
		return unix.EROFS
	case size < 0:
		return unix.EINVAL
	}
	return f.f.Truncate(size)
}

// Sync waits until all of the file is on disk.
func (f *File) Sync() error { return f.f.Sync() }

// SyncData waits until what is needed to read the content again is on disk.
func (f *File) SyncData() error { return f.control(fdatasync) }

// SetTimes sets when it was last read and when last changed.
func (f *File) SetTimes(accessed, modified NewTime) error {
	if f.tree.readOnly {
		return unix.EROFS
	}
	return f.control(func(fd int) error { return futimens(fd, accessed, modified) })
}

// Advice is how a guest is going to use a part of a file.
type Advice int

// The kinds of advice.
const (
	Normal Advice = iota
	Sequential
	Random
	WillNeed
	DontNeed
	NoReuse
)

// Advise tells the system how a part of the file is going to be used; a length of 0 means all from offset on.
func (f *File) Advise(offset, length int64, a Advice) error {
	if offset < 0 || length < 0 {
		return unix.EINVAL
	}
	return f.control(func(fd int) error { return advise(fd, offset, length, a) })
}

// Entry is one of a directory's.
type Entry struct {
	Name string
	Type fs.FileMode // its type bits
	Ino  uint64
}

// ReadDir returns the next entries of the directory, at least one and at most n; io.EOF when there are no more. With n below 1 it returns
// all that are left, and no io.EOF.
func (f *File) ReadDir(n int) ([]Entry, error) {
	for {
		names, err := f.f.Readdirnames(n)
		entries := make([]Entry, 0, len(names))
		for _, name := range names {
			if f.hides(name) {
				continue
			}
			// Not the type that the directory tells: some filesystems do not know it there.
			var st unix.Stat_t
			if f.control(func(fd int) error { return unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) }) != nil {
				continue // gone since
			}
			entry := statOf(&st)
			entries = append(entries, Entry{Name: name, Type: entry.Mode.Type(), Ino: entry.Ino})
		}
		if err != nil || len(entries) > 0 || n < 1 {
			return entries, err
		}
	}
}

// Close closes the file, once; not one that all guests share.
func (f *File) Close() error {
	if f.shared || f.closed {
		return nil
	}
	f.closed = true
	open.Add(-1)
	return f.f.Close()
}

// hides reports whether an entry of the directory is not for guests.
func (f *File) hides(entry string) bool { return f.root && f.tree.hidden[entry] }

// container reports whether the directory is a container's root.
func (f *File) container() bool { return f.root && f.tree.container }

// control runs do with the descriptor.
func (f *File) control(do func(fd int) error) error {
	c, err := f.f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := c.Control(func(fd uintptr) { failed = retry(func() error { return do(int(fd)) }) }); err != nil {
		return err
	}
	return failed
}
