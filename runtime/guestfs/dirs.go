package guestfs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
)

// Mount makes a directory of the host visible to guests.
type Mount struct {
	Host     string // the directory
	Guest    string // the absolute path at which the guest finds it: "/", "/data"
	ReadOnly bool
}

// Dirs returns directories of the host as guests see them. They are held open: that they are moved later changes nothing.
func Dirs(mounts []Mount) (wazero.FSConfig, error) {
	config := wazero.NewFSConfig()
	seen := map[string]bool{}
	for _, m := range mounts {
		at := path.Clean(m.Guest)
		if !path.IsAbs(m.Guest) {
			return nil, describe(m.Host, fmt.Errorf("the guest's path %q is not absolute: write, for example, %s:/data", m.Guest, m.Host))
		}
		if seen[at] {
			return nil, describe(m.Host, fmt.Errorf("the guest's path %s is taken by another directory: name another", at))
		}
		seen[at] = true
		root, err := os.OpenRoot(m.Host)
		if err != nil {
			return nil, describe(m.Host, err)
		}
		config = config.(sysfs.FSConfig).WithSysFSMount(&treeFS{tree: dir{root}, readOnly: m.ReadOnly}, at)
	}
	return config, nil
}

// dir is a tree by os.Root. A symbolic link that is absolute or leads outside is an error to follow.
type dir struct{ root *os.Root }

var _ tree = dir{}

func (d dir) open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if flag&syscall.O_NOFOLLOW != 0 {
		// os.Root follows links whatever the flag. Losing a race here follows a link, which is safe all the same.
		if info, err := d.root.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, syscall.ELOOP
		}
	}
	return d.root.OpenFile(name, flag|syscall.O_NONBLOCK, perm)
}

func (d dir) stat(name string, follow bool) (fs.FileInfo, error) {
	if follow {
		return d.root.Stat(name)
	}
	return d.root.Lstat(name)
}

func (d dir) mkdir(name string, perm fs.FileMode) error { return d.root.Mkdir(name, perm) }

func (d dir) rmdir(name string) error {
	info, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return syscall.ENOTDIR
	}
	return d.root.Remove(name)
}

func (d dir) unlink(name string) error {
	info, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return syscall.EISDIR
	}
	return d.root.Remove(name)
}

func (d dir) rename(from, to string) error         { return d.root.Rename(from, to) }
func (d dir) link(from, to string) error           { return d.root.Link(from, to) }
func (d dir) symlink(target, name string) error    { return d.root.Symlink(target, name) }
func (d dir) readlink(name string) (string, error) { return d.root.Readlink(name) }
func (d dir) hides(string) bool                    { return false }

func (d dir) utimens(name string, atime, mtime int64) error {
	at := func(ns int64) time.Time {
		if ns == sys.UTIME_OMIT {
			return time.Time{} // which os leaves as it is
		}
		return time.Unix(0, ns)
	}
	return d.root.Chtimes(name, at(atime), at(mtime))
}
