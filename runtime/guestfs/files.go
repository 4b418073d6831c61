package guestfs

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"golang.org/x/sys/unix"
)

// Files are directories as guests find them. They are held open: that they are moved later changes nothing.
type Files struct {
	preopens []Preopen
}

// Preopen is a directory that a guest has from the start.
type Preopen struct {
	Path string // where the guest finds it: "/", "/data"
	Dir  *File  // common to all guests, who do not close it
}

// Close closes the directories. No guest uses them any more. Files that are not closed are when nothing refers to them any more.
func (f *Files) Close() error {
	var err error
	for _, p := range f.preopens {
		err = errors.Join(err, p.Dir.f.Close())
	}
	return err
}

// Preopens returns the directories in the order in which they were given.
func (f *Files) Preopens() []Preopen { return f.preopens }

// Config returns the files as guests made for WASI 0.1 see them.
func (f *Files) Config() wazero.FSConfig {
	config := wazero.NewFSConfig()
	for _, p := range f.preopens {
		config = config.(sysfs.FSConfig).WithSysFSMount(&preview1FS{root: p.Dir}, p.Path)
	}
	return config
}

// Mount makes a directory of the host visible to guests.
type Mount struct {
	Host     string // the directory
	Guest    string // the absolute path at which the guest finds it: "/", "/data"
	ReadOnly bool
}

// OpenDirs opens directories of the host.
func OpenDirs(mounts []Mount) (*Files, error) {
	files := &Files{}
	for _, m := range mounts {
		p, err := files.open(m)
		if err != nil {
			_ = files.Close()
			return nil, describe(m.Host, err)
		}
		files.preopens = append(files.preopens, p)
	}
	return files, nil
}

func (f *Files) open(m Mount) (Preopen, error) {
	at := path.Clean(m.Guest)
	if !path.IsAbs(m.Guest) {
		return Preopen{}, fmt.Errorf("the guest's path %q is not absolute: write, for example, %s:/data", m.Guest, m.Host)
	}
	for _, p := range f.preopens {
		if p.Path == at {
			return Preopen{}, fmt.Errorf("the guest's path %s is taken by another directory: name another", at)
		}
	}
	dir, err := openRoot(m.Host, &tree{readOnly: m.ReadOnly})
	return Preopen{Path: at, Dir: dir}, err
}

// tree is what is the same for a directory that guests have from the start and all that is opened below it.
type tree struct {
	readOnly  bool
	hidden    map[string]bool // entries of the root that are not for guests
	container bool            // an absolute symbolic link begins at the root
}

func openRoot(dir string, t *tree) (*File, error) {
	fd, err := openat(unix.AT_FDCWD, dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err == unix.EACCES {
		// One that may not be listed may be gone through.
		fd, err = openat(unix.AT_FDCWD, dir, stepFlags&^unix.O_NOFOLLOW, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	f := &File{f: os.NewFile(uintptr(fd), dir), tree: t, dir: true, root: true, shared: true}
	st, err := f.Stat()
	if err != nil {
		_ = f.f.Close()
		return nil, fmt.Errorf("stat: %w", err)
	}
	f.dev, f.ino = st.Dev, st.Ino
	return f, nil
}

// open counts the files that all guests of this process have open. They must leave descriptors for the connections that guests are for.
var open atomic.Int64

// maxOpen is how many files all guests together may have open: half of what the process may.
var maxOpen = func() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 512
	}
	return int64(min(limit.Cur, math.MaxInt64) / 2)
}()

// describe is what a person reads of a directory that could not be had.
func describe(what string, err error) error {
	return fmt.Errorf("files for the guest: %s: %w", what, err)
}
