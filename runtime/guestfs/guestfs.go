package guestfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"
)

// tree is a directory and what is below it. Names are relative, slash-separated and clean; "." is the directory itself.
// No implementation leaves it by ".." or a symbolic link.
type tree interface {
	// open follows a symbolic link at the end, unless flag has O_NOFOLLOW. It does not block.
	open(name string, flag int, perm fs.FileMode) (*os.File, error)
	stat(name string, follow bool) (fs.FileInfo, error)
	mkdir(name string, perm fs.FileMode) error
	rmdir(name string) error
	unlink(name string) error
	rename(from, to string) error
	link(from, to string) error
	symlink(target, name string) error
	readlink(name string) (string, error)
	utimens(name string, atime, mtime int64) error
	// hides reports whether an entry of the directory itself is not for guests.
	hides(entry string) bool
}

// treeFS is a tree as wazero wants it.
type treeFS struct {
	sys.UnimplementedFS
	tree     tree
	readOnly bool
}

var _ sys.FS = (*treeFS)(nil)

// clean makes of a guest's path a name. A slash at its end asks for a directory.
func clean(p string) (name string, directory bool, errno sys.Errno) {
	directory = strings.HasSuffix(p, "/")
	name = path.Clean(strings.TrimLeft(p, "/"))
	if !fs.ValidPath(name) || strings.IndexByte(name, 0) >= 0 {
		return "", false, sys.EPERM
	}
	return name, directory, 0
}

const writes = sys.O_RDWR | sys.O_WRONLY | sys.O_APPEND | sys.O_CREAT | sys.O_TRUNC

// OpenFile implements sys.FS.
func (t *treeFS) OpenFile(p string, flag sys.Oflag, perm fs.FileMode) (sys.File, sys.Errno) {
	name, directory, errno := clean(p)
	if errno != 0 {
		return nil, errno
	}
	if t.readOnly && flag&writes != 0 {
		return nil, sys.EROFS
	}
	if directory {
		flag |= sys.O_DIRECTORY
	}
	f, err := t.tree.open(name, osFlags(flag), perm)
	if err != nil {
		return nil, errnoOf(err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		errno = errnoOf(err)
	case !info.Mode().IsRegular() && !info.IsDir():
		errno = sys.EACCES
	case info.IsDir() && flag&(sys.O_RDWR|sys.O_WRONLY) != 0:
		errno = sys.EISDIR
	}
	if errno != 0 {
		_ = f.Close()
		return nil, errno
	}
	opened := &file{f: f, isDir: info.IsDir(), append: flag&sys.O_APPEND != 0, stat: wasys.NewStat_t(info)}
	if name == "." {
		opened.hides = t.tree.hides
	}
	return opened, 0
}

// osFlags leaves O_NONBLOCK to the trees, which always set it.
func osFlags(flag sys.Oflag) int {
	out := os.O_RDONLY
	for _, f := range []struct {
		from sys.Oflag
		to   int
	}{
		{sys.O_RDWR, os.O_RDWR}, {sys.O_WRONLY, os.O_WRONLY}, {sys.O_APPEND, os.O_APPEND}, {sys.O_CREAT, os.O_CREATE},
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
func (t *treeFS) Stat(p string) (wasys.Stat_t, sys.Errno) { return t.statOf(p, true) }

// Lstat implements sys.FS.
func (t *treeFS) Lstat(p string) (wasys.Stat_t, sys.Errno) { return t.statOf(p, false) }

func (t *treeFS) statOf(p string, follow bool) (wasys.Stat_t, sys.Errno) {
	name, directory, errno := clean(p)
	if errno != 0 {
		return wasys.Stat_t{}, errno
	}
	info, err := t.tree.stat(name, follow || directory)
	if err != nil {
		return wasys.Stat_t{}, errnoOf(err)
	}
	if directory && !info.IsDir() {
		return wasys.Stat_t{}, sys.ENOTDIR
	}
	return wasys.NewStat_t(info), 0
}

// change runs what changes the tree, with clean names.
func (t *treeFS) change(do func(names []string) error, paths ...string) sys.Errno {
	names := make([]string, len(paths))
	for i, p := range paths {
		name, _, errno := clean(p)
		if errno != 0 {
			return errno
		}
		names[i] = name
	}
	if t.readOnly {
		return sys.EROFS
	}
	return errnoOf(do(names))
}

// Mkdir implements sys.FS.
func (t *treeFS) Mkdir(p string, perm fs.FileMode) sys.Errno {
	return t.change(func(n []string) error { return t.tree.mkdir(n[0], perm.Perm()) }, p)
}

// Rmdir implements sys.FS.
func (t *treeFS) Rmdir(p string) sys.Errno {
	return t.change(func(n []string) error { return t.tree.rmdir(n[0]) }, p)
}

// Unlink implements sys.FS.
func (t *treeFS) Unlink(p string) sys.Errno {
	if strings.HasSuffix(p, "/") {
		return sys.EISDIR
	}
	return t.change(func(n []string) error { return t.tree.unlink(n[0]) }, p)
}

// Rename implements sys.FS.
func (t *treeFS) Rename(from, to string) sys.Errno {
	return t.change(func(n []string) error { return t.tree.rename(n[0], n[1]) }, from, to)
}

// Link implements sys.FS.
func (t *treeFS) Link(from, to string) sys.Errno {
	return t.change(func(n []string) error { return t.tree.link(n[0], n[1]) }, from, to)
}

// Symlink implements sys.FS. Where a link leads is looked at when it is followed.
func (t *treeFS) Symlink(target, link string) sys.Errno {
	if path.IsAbs(target) {
		return sys.EPERM // as WASI has it
	}
	return t.change(func(n []string) error { return t.tree.symlink(target, n[0]) }, link)
}

// Readlink implements sys.FS.
func (t *treeFS) Readlink(p string) (string, sys.Errno) {
	name, _, errno := clean(p)
	if errno != 0 {
		return "", errno
	}
	target, err := t.tree.readlink(name)
	return target, errnoOf(err)
}

// Utimens implements sys.FS.
func (t *treeFS) Utimens(p string, atime, mtime int64) sys.Errno {
	return t.change(func(n []string) error { return t.tree.utimens(n[0], atime, mtime) }, p)
}

// errnoOf makes an error one that WASI knows. What os.Root says of a path that leads outside is no errno.
func errnoOf(err error) sys.Errno {
	var number syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &number):
		if number == syscall.ENXIO || number == syscall.EOPNOTSUPP { // a pipe without a reader, a socket
			return sys.EACCES
		}
		return sys.UnwrapOSError(number)
	}
	if errno := sys.UnwrapOSError(err); errno != sys.EIO {
		return errno
	}
	return sys.EPERM
}

// describe is what a person reads of a tree that could not be had.
func describe(what string, err error) error {
	return fmt.Errorf("files for the guest: %s: %w", what, err)
}
