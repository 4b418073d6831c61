package guestfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"
	"golang.org/x/sys/unix"
)

// preview1FS is a directory as wazero wants it.
type preview1FS struct {
	sys.UnimplementedFS
	root *File
}

var _ sys.FS = (*preview1FS)(nil)

// relative makes of wazero's path one of ours.
func relative(p string) string {
	if p = strings.TrimLeft(p, "/"); p == "" {
		return "."
	}
	return p
}

// OpenFile implements sys.FS. A new file gets the permissions that programs give: wazero's would keep other containers from reading it.
func (t *preview1FS) OpenFile(p string, flag sys.Oflag, perm fs.FileMode) (sys.File, sys.Errno) {
	if flag == sys.O_WRONLY && perm == 0 {
		return &timesOnly{root: t.root, path: relative(p)}, 0
	}
	f, err := t.root.OpenAt(relative(p), osFlags(flag), NewFile)
	if err != nil {
		return nil, errnoOf(err)
	}
	if f.dir && flag&(sys.O_RDWR|sys.O_WRONLY) != 0 {
		_ = f.Close()
		return nil, sys.EISDIR
	}
	return &preview1File{file: f, append: flag&sys.O_APPEND != 0}, 0
}

// timesOnly is what wazero opens, to write and without permissions for a new file, when a guest sets the times of what may be a symbolic link
// and is not to be followed. To open that would follow it.
type timesOnly struct {
	sys.UnimplementedFile
	root *File
	path string
}

// Utimens implements sys.File.
func (f *timesOnly) Utimens(atime, mtime int64) sys.Errno {
	return errnoOf(f.root.SetTimesAt(f.path, false, nanoseconds(atime), nanoseconds(mtime)))
}

// osFlags leaves out O_APPEND: the system would let it decide about writes at an offset too.
func osFlags(flag sys.Oflag) int {
	out := os.O_RDONLY
	for _, f := range []struct {
		from sys.Oflag
		to   int
	}{
		{sys.O_RDWR, os.O_RDWR}, {sys.O_WRONLY, os.O_WRONLY}, {sys.O_CREAT, os.O_CREATE},
		{sys.O_EXCL, os.O_EXCL}, {sys.O_TRUNC, os.O_TRUNC}, {sys.O_SYNC, os.O_SYNC}, {sys.O_DSYNC, os.O_SYNC},
		{sys.O_RSYNC, os.O_SYNC}, {sys.O_DIRECTORY, syscall.O_DIRECTORY}, {sys.O_NOFOLLOW, syscall.O_NOFOLLOW},
	} {
		if flag&f.from != 0 {
			out |= f.to
		}
	}
	return out
}

// Stat implements sys.FS.
func (t *preview1FS) Stat(p string) (wasys.Stat_t, sys.Errno) {
	return preview1Stat(t.root.StatAt(relative(p), true))
}

// Lstat implements sys.FS.
func (t *preview1FS) Lstat(p string) (wasys.Stat_t, sys.Errno) {
	return preview1Stat(t.root.StatAt(relative(p), false))
}

func preview1Stat(st Stat, err error) (wasys.Stat_t, sys.Errno) {
	if err != nil {
		return wasys.Stat_t{}, errnoOf(err)
	}
	return wasys.Stat_t{
		Dev: st.Dev, Ino: st.Ino, Mode: st.Mode, Nlink: st.Links, Size: st.Size,
		Atim: st.Accessed.UnixNano(), Mtim: st.Modified.UnixNano(), Ctim: st.Changed.UnixNano(),
	}, 0
}

// Mkdir implements sys.FS.
func (t *preview1FS) Mkdir(p string, _ fs.FileMode) sys.Errno {
	return errnoOf(t.root.MkdirAt(relative(p), NewDir))
}

// Rmdir implements sys.FS.
func (t *preview1FS) Rmdir(p string) sys.Errno { return errnoOf(t.root.RmdirAt(relative(p))) }

// Unlink implements sys.FS.
func (t *preview1FS) Unlink(p string) sys.Errno { return errnoOf(t.root.UnlinkAt(relative(p))) }

// Rename implements sys.FS.
func (t *preview1FS) Rename(from, to string) sys.Errno {
	return errnoOf(t.root.RenameAt(relative(from), t.root, relative(to)))
}

// Link implements sys.FS.
func (t *preview1FS) Link(from, to string) sys.Errno {
	return errnoOf(t.root.LinkAt(relative(from), t.root, relative(to)))
}

// Symlink implements sys.FS.
func (t *preview1FS) Symlink(target, link string) sys.Errno {
	return errnoOf(t.root.SymlinkAt(target, relative(link)))
}

// Readlink implements sys.FS.
func (t *preview1FS) Readlink(p string) (string, sys.Errno) {
	target, err := t.root.ReadlinkAt(relative(p))
	return target, errnoOf(err)
}

// Utimens implements sys.FS.
func (t *preview1FS) Utimens(p string, atime, mtime int64) sys.Errno {
	return errnoOf(t.root.SetTimesAt(relative(p), true, nanoseconds(atime), nanoseconds(mtime)))
}

func nanoseconds(ns int64) NewTime {
	if ns == sys.UTIME_OMIT {
		return NewTime{}
	}
	ts := unix.NsecToTimespec(ns)
	return At(ts.Unix())
}

// preview1File is an open file as wazero wants it.
type preview1File struct {
	sys.UnimplementedFile
	file   *File
	append bool
}

var _ sys.File = (*preview1File)(nil)

// Dev implements sys.File.
func (f *preview1File) Dev() (uint64, sys.Errno) { return f.file.dev, 0 }

// Ino implements sys.File.
func (f *preview1File) Ino() (wasys.Inode, sys.Errno) { return f.file.ino, 0 }

// IsDir implements sys.File.
func (f *preview1File) IsDir() (bool, sys.Errno) { return f.file.dir, 0 }

// IsAppend implements sys.File.
func (f *preview1File) IsAppend() bool { return f.append }

// SetAppend implements sys.File.
func (f *preview1File) SetAppend(enable bool) sys.Errno {
	f.append = enable
	return 0
}

// Stat implements sys.File.
func (f *preview1File) Stat() (wasys.Stat_t, sys.Errno) {
	return preview1Stat(f.file.Stat())
}

// result is what wazero wants of a read: the end is no error.
func result(n int, err error) (int, sys.Errno) {
	if err == io.EOF {
		return n, 0
	}
	return n, errnoOf(err)
}

// Read implements sys.File.
func (f *preview1File) Read(b []byte) (int, sys.Errno) {
	if f.file.dir {
		return 0, sys.EISDIR
	}
	if len(b) == 0 {
		return 0, 0
	}
	return result(f.file.f.Read(b))
}

// Pread implements sys.File.
func (f *preview1File) Pread(b []byte, offset int64) (int, sys.Errno) {
	if f.file.dir {
		return 0, sys.EISDIR
	}
	return result(f.file.ReadAt(b, offset))
}

// Write implements sys.File.
func (f *preview1File) Write(b []byte) (int, sys.Errno) {
	if f.file.dir {
		return 0, sys.EISDIR
	}
	if !f.append {
		return result(f.file.f.Write(b))
	}
	n, err := f.file.Append(b)
	if err != nil {
		return n, errnoOf(err)
	}
	_, err = f.file.f.Seek(0, io.SeekEnd) // where a write leaves off
	return n, errnoOf(err)
}

// Pwrite implements sys.File.
func (f *preview1File) Pwrite(b []byte, offset int64) (int, sys.Errno) {
	if f.file.dir {
		return 0, sys.EISDIR
	}
	return result(f.file.WriteAt(b, offset))
}

// position is an int64 by another name: vet insists that a Seek of an int64 returns an error, and that of sys.File returns an Errno.
type position = int64

// Seek implements sys.File. Of a directory it only goes back to the start.
func (f *preview1File) Seek(offset position, whence int) (int64, sys.Errno) {
	if f.file.dir && (offset != 0 || whence != io.SeekStart) {
		return 0, sys.EISDIR
	}
	at, err := f.file.f.Seek(offset, whence)
	return at, errnoOf(err)
}

// Readdir implements sys.File.
func (f *preview1File) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if !f.file.dir {
		return nil, sys.ENOTDIR
	}
	entries, err := f.file.ReadDir(n)
	if err == io.EOF {
		err = nil
	}
	out := make([]sys.Dirent, len(entries))
	for i, e := range entries {
		out[i] = sys.Dirent{Name: e.Name, Type: e.Type, Ino: e.Ino}
	}
	return out, errnoOf(err)
}

// Truncate implements sys.File.
func (f *preview1File) Truncate(size int64) sys.Errno {
	if f.file.dir {
		return sys.EISDIR
	}
	return errnoOf(f.file.Truncate(size))
}

// Sync implements sys.File.
func (f *preview1File) Sync() sys.Errno { return errnoOf(f.file.Sync()) }

// Datasync implements sys.File.
func (f *preview1File) Datasync() sys.Errno { return errnoOf(f.file.SyncData()) }

// Utimens implements sys.File.
func (f *preview1File) Utimens(atime, mtime int64) sys.Errno {
	return errnoOf(f.file.SetTimes(nanoseconds(atime), nanoseconds(mtime)))
}

// Close implements sys.File.
func (f *preview1File) Close() sys.Errno { return errnoOf(f.file.Close()) }

// errnoOf makes an error one that WASI 0.1 knows.
func errnoOf(err error) sys.Errno {
	var number syscall.Errno
	if errors.As(err, &number) {
		switch number {
		case syscall.ENXIO, syscall.EOPNOTSUPP: // a pipe without a reader, a socket
			return sys.EACCES
		}
		return sys.UnwrapOSError(number)
	}
	return sys.UnwrapOSError(err)
}
