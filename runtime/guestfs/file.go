package guestfs

import (
	"io"
	"io/fs"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"
	"golang.org/x/sys/unix"
)

// file is an open regular file or directory.
type file struct {
	sys.UnimplementedFile
	f      *os.File
	isDir  bool
	append bool
	stat   wasys.Stat_t // when it was opened: device and inode stay as they are
	hides  func(entry string) bool
}

var _ sys.File = (*file)(nil)

// Dev implements sys.File.
func (f *file) Dev() (uint64, sys.Errno) { return f.stat.Dev, 0 }

// Ino implements sys.File.
func (f *file) Ino() (wasys.Inode, sys.Errno) { return f.stat.Ino, 0 }

// IsDir implements sys.File.
func (f *file) IsDir() (bool, sys.Errno) { return f.isDir, 0 }

// IsAppend implements sys.File.
func (f *file) IsAppend() bool { return f.append }

// SetAppend implements sys.File.
func (f *file) SetAppend(enable bool) sys.Errno {
	err := f.control(func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		flags &^= unix.O_APPEND
		if enable {
			flags |= unix.O_APPEND
		}
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags)
		return err
	})
	if err == nil {
		f.append = enable
	}
	return errnoOf(err)
}

// control runs do with the file's descriptor.
func (f *file) control(do func(fd int) error) error {
	c, err := f.f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := c.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// Stat implements sys.File.
func (f *file) Stat() (wasys.Stat_t, sys.Errno) {
	info, err := f.f.Stat()
	if err != nil {
		return wasys.Stat_t{}, errnoOf(err)
	}
	return wasys.NewStat_t(info), 0
}

// result is what wazero wants of a read: the end is no error.
func result(n int, err error) (int, sys.Errno) {
	if err == io.EOF {
		return n, 0
	}
	return n, errnoOf(err)
}

// Read implements sys.File.
func (f *file) Read(b []byte) (int, sys.Errno) {
	if f.isDir {
		return 0, sys.EISDIR
	}
	if len(b) == 0 {
		return 0, 0
	}
	return result(f.f.Read(b))
}

// Pread implements sys.File.
func (f *file) Pread(b []byte, offset int64) (int, sys.Errno) {
	if f.isDir {
		return 0, sys.EISDIR
	}
	if offset < 0 {
		return 0, sys.EINVAL
	}
	return result(f.f.ReadAt(b, offset))
}

// Write implements sys.File.
func (f *file) Write(b []byte) (int, sys.Errno) {
	if f.isDir {
		return 0, sys.EISDIR
	}
	return result(f.f.Write(b))
}

// Pwrite implements sys.File.
func (f *file) Pwrite(b []byte, offset int64) (int, sys.Errno) {
	if f.isDir {
		return 0, sys.EISDIR
	}
	if offset < 0 {
		return 0, sys.EINVAL
	}
	return result(f.f.WriteAt(b, offset))
}

// position is an int64 by another name: vet insists that a Seek of an int64 returns an error, and that of sys.File returns an Errno.
type position = int64

// Seek implements sys.File. Of a directory it only goes back to the start.
func (f *file) Seek(offset position, whence int) (int64, sys.Errno) {
	if f.isDir && (offset != 0 || whence != io.SeekStart) {
		return 0, sys.EISDIR
	}
	at, err := f.f.Seek(offset, whence)
	return at, errnoOf(err)
}

// Readdir implements sys.File.
func (f *file) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if !f.isDir {
		return nil, sys.ENOTDIR
	}
	for {
		entries, err := f.f.ReadDir(n)
		var out []sys.Dirent
		for _, e := range entries {
			if f.hides != nil && f.hides(e.Name()) {
				continue
			}
			out = append(out, sys.Dirent{Name: e.Name(), Type: e.Type(), Ino: f.inode(e.Name())})
		}
		if err == io.EOF {
			err = nil
		} else if err == nil && n > 0 && len(out) == 0 {
			continue // all that were read are hidden, and nothing would say that there are no more
		}
		return out, errnoOf(err)
	}
}

// inode returns the number of an entry; 0 when it is gone.
func (f *file) inode(name string) (ino wasys.Inode) {
	_ = f.control(func(fd int) error {
		var st unix.Stat_t
		if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		ino = st.Ino
		return nil
	})
	return ino
}

// Truncate implements sys.File.
func (f *file) Truncate(size int64) sys.Errno {
	if f.isDir {
		return sys.EISDIR
	}
	if size < 0 {
		return sys.EINVAL
	}
	return errnoOf(f.f.Truncate(size))
}

// Sync implements sys.File.
func (f *file) Sync() sys.Errno { return errnoOf(f.f.Sync()) }

// Datasync implements sys.File.
func (f *file) Datasync() sys.Errno { return errnoOf(f.f.Sync()) }

// Utimens implements sys.File.
func (f *file) Utimens(atime, mtime int64) sys.Errno {
	return errnoOf(f.control(func(fd int) error { return futimens(fd, atime, mtime) }))
}

// Close implements sys.File.
func (f *file) Close() sys.Errno {
	err := f.f.Close()
	if err != nil && isClosed(err) {
		return 0
	}
	return errnoOf(err)
}

func isClosed(err error) bool {
	e, ok := err.(*fs.PathError)
	return ok && e.Err == os.ErrClosed
}
