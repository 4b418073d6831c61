package guestfs

import (
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// The methods in this file are those of a directory. A path is relative to it, and one that leads out of it is not permitted. A slash at
// the end of a path asks for a directory.

// The permissions of what guests create, less the process's umask. Volumes are shared with containers of other users.
const (
	NewFile fs.FileMode = 0o666
	NewDir  fs.FileMode = 0o777
)

const writes = unix.O_RDWR | unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC

// OpenAt opens a file or directory. The flags are those of open(2), perm is for a file that is created. A symbolic link at the end is
// followed unless the flags have O_NOFOLLOW, or O_CREAT and O_EXCL.
func (f *File) OpenAt(path string, flag int, perm fs.FileMode) (*File, error) {
	if f.tree.readOnly && flag&writes != 0 {
		return nil, unix.EROFS
	}
	const exclusive = unix.O_CREAT | unix.O_EXCL
	follow := flag&unix.O_NOFOLLOW == 0 && flag&exclusive != exclusive
	if slashed(path) {
		if flag&unix.O_CREAT != 0 {
			return nil, f.notCreated(path)
		}
		flag |= unix.O_DIRECTORY
		follow = true
	}
	if open.Add(1) > maxOpen {
		open.Add(-1)
		return nil, unix.ENFILE
	}
	opened := &File{tree: f.tree}
	err := f.at(path, follow, func(p *place) error {
		fd, err := openat(p.dir, p.name, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, uint32(perm.Perm()))
		if err != nil {
			return err
		}
		opened.f = os.NewFile(uintptr(fd), path)
		opened.root = f.root && p.self()
		return nil
	})
	if err == nil {
		err = opened.admit()
	}
	if err != nil {
		if opened.f != nil {
			_ = opened.f.Close()
		}
		open.Add(-1)
		return nil, err
	}
	return opened, nil
}

// notCreated says why no file is made at a path that asks for a directory.
func (f *File) notCreated(path string) error {
	if _, err := f.StatAt(path, true); err != nil && err != unix.ENOENT {
		return err
	}
	return unix.EISDIR
}

// admit refuses what may block.
func (f *File) admit() error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	f.dir, f.dev, f.ino = st.Mode.IsDir(), st.Dev, st.Ino
	if !f.dir && !st.Mode.IsRegular() {
		return unix.EACCES
	}
	return nil
}

// StatAt returns what is known of a file.
func (f *File) StatAt(path string, follow bool) (Stat, error) {
	directory := slashed(path)
	var st unix.Stat_t
	err := f.at(path, follow || directory, func(p *place) error {
		err := unix.Fstatat(p.dir, p.name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil && (follow || directory) && st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return unix.ELOOP // it has become one
		}
		return err
	})
	if err != nil {
		return Stat{}, err
	}
	if directory && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return Stat{}, unix.ENOTDIR
	}
	return statOf(&st), nil
}

// change runs do at the place of a path, to change what is there.
func (f *File) change(path string, do func(p *place) error) error {
	return f.at(path, false, func(p *place) error {
		if f.tree.readOnly {
			return unix.EROFS
		}
		return do(p)
	})
}

// directoryAt reports, for a path that asks for a directory, why it is none; a symbolic link is none, but it is an error of its own when it
// leads nowhere.
func (f *File) directoryAt(path string) error {
	if _, err := f.StatAt(path, true); err != nil {
		return err
	}
	st, err := f.StatAt(strings.TrimRight(path, "/"), false)
	if err == nil && !st.Mode.IsDir() {
		err = unix.ENOTDIR
	}
	return err
}

// MkdirAt makes a directory.
func (f *File) MkdirAt(path string, perm fs.FileMode) error {
	return f.change(path, func(p *place) error { return unix.Mkdirat(p.dir, p.name, uint32(perm.Perm())) })
}

// RmdirAt removes an empty directory.
func (f *File) RmdirAt(path string) error {
	if slashed(path) {
		if err := f.directoryAt(path); err != nil {
			return err
		}
	}
	return f.change(path, func(p *place) error { return unix.Unlinkat(p.dir, p.name, unix.AT_REMOVEDIR) })
}

// UnlinkAt removes what is no directory.
func (f *File) UnlinkAt(path string) error {
	if slashed(path) {
		if err := f.directoryAt(path); err != nil {
			return err
		}
		return unix.EISDIR
	}
	return f.change(path, func(p *place) error {
		err := unix.Unlinkat(p.dir, p.name, 0)
		if err == unix.EPERM && isDir(p) {
			err = unix.EISDIR // what POSIX would have it be called on Darwin
		}
		return err
	})
}

func isDir(p *place) bool {
	var st unix.Stat_t
	return unix.Fstatat(p.dir, p.name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// RenameAt renames what is at a path, and replaces what is at the new one, which is relative to dir.
func (f *File) RenameAt(from string, dir *File, to string) error {
	if slashed(from) || slashed(to) {
		if err := f.directoryAt(strings.TrimRight(from, "/") + "/"); err != nil {
			return err
		}
	}
	if slashed(to) {
		if err := dir.directoryAt(to); err != nil && err != unix.ENOENT {
			return err
		}
	}
	return f.change(from, func(a *place) error {
		return dir.change(to, func(b *place) error { return unix.Renameat(a.dir, a.name, b.dir, b.name) })
	})
}

// LinkAt makes a hard link to a file, or to a symbolic link, at a path that is relative to dir.
func (f *File) LinkAt(from string, dir *File, to string) error {
	if slashed(from) {
		if _, err := f.StatAt(from, true); err != nil {
			return err
		}
		return unix.EPERM
	}
	return f.change(from, func(a *place) error {
		return dir.change(to, func(b *place) error {
			if slashed(to) {
				return absent(b)
			}
			return unix.Linkat(a.dir, a.name, b.dir, b.name, 0)
		})
	})
}

// SymlinkAt makes a symbolic link. Where it leads is looked at when it is followed.
func (f *File) SymlinkAt(target, path string) error {
	if strings.HasPrefix(target, "/") {
		return unix.EPERM // as WASI has it
	}
	return f.change(path, func(p *place) error {
		if slashed(path) {
			return absent(p)
		}
		return unix.Symlinkat(target, p.dir, p.name)
	})
}

// absent says why nothing but a directory can be made at a path that asks for one.
func absent(p *place) error {
	var st unix.Stat_t
	if err := unix.Fstatat(p.dir, p.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return unix.ENOTDIR
	}
	return unix.EEXIST
}

// ReadlinkAt returns what a symbolic link holds.
func (f *File) ReadlinkAt(path string) (target string, err error) {
	if slashed(path) {
		if _, err := f.StatAt(path, true); err != nil {
			return "", err
		}
		return "", unix.EINVAL
	}
	err = f.at(path, false, func(p *place) (err error) {
		target, err = readlinkat(p.dir, p.name)
		return err
	})
	return target, err
}

// SetTimesAt sets when what is at a path was last read and when last changed.
func (f *File) SetTimesAt(path string, follow bool, accessed, modified NewTime) error {
	if slashed(path) {
		if _, err := f.StatAt(path, true); err != nil {
			return err
		}
		follow = true
	}
	return f.at(path, follow, func(p *place) error {
		if f.tree.readOnly {
			return unix.EROFS
		}
		return utimensat(p.dir, p.name, accessed, modified)
	})
}

// slashed reports whether a path asks for a directory.
func slashed(path string) bool { return strings.HasSuffix(path, "/") }
