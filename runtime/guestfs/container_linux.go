package guestfs

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"golang.org/x/sys/unix"
)

// hidden are the entries of a container's root that are not for guests: our own files, and the kernel's.
var hidden = []string{".mayfly", "proc", "sys", "dev"}

// Container returns the files of the container this process runs in, as guests see them: all but /.mayfly, /proc, /sys and /dev.
func Container() (wazero.FSConfig, error) {
	w, err := newWalker("/", hidden)
	if err != nil {
		return nil, describe("/", err)
	}
	return wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(&treeFS{tree: w}, "/"), nil
}

// walker is a tree in which symbolic links mean what they mean in a container: an absolute one begins at the root.
//
// It takes one step at a time, each from an open directory by a single name and without following links, which it reads itself. To
// get to a hidden directory one must go through the root by its name, and there the walker looks. So nobody who changes links or moves
// directories meanwhile leads it there.
type walker struct {
	root   *os.File
	hidden map[string]bool
}

var _ tree = (*walker)(nil)

func newWalker(root string, hidden []string) (*walker, error) {
	fd, err := openat(unix.AT_FDCWD, root, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	w := &walker{root: os.NewFile(uintptr(fd), root), hidden: map[string]bool{}}
	for _, name := range hidden {
		w.hidden[name] = true
	}
	return w, nil
}

const (
	maxLinks = 40  // followed in one path, as in Linux
	maxDepth = 256 // directories below the root
	maxTries = 8   // when somebody changes what is being looked at
)

// place is an open directory and a name in it; "." is the directory itself.
type place struct {
	dir  int
	name string
	root bool // dir is the walker's own, to be kept
}

func (p *place) close() {
	if !p.root {
		_ = unix.Close(p.dir)
	}
}

// walk returns the place of a path, which need not exist. With follow it is not that of a symbolic link.
func (w *walker) walk(path string, follow bool) (*place, error) {
	at := &place{dir: int(w.root.Fd()), root: true}
	var above []string // names of the directories gone through
	left := strings.Split(path, "/")
	links := 0
	fail := func(err error) (*place, error) {
		at.close()
		return nil, err
	}
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			// By the way we came, from the root. The kernel's ".." may lead elsewhere by now.
			if len(above) > 0 {
				above = above[:len(above)-1]
			}
			if err := w.again(at, above); err != nil {
				return fail(err)
			}
			continue
		}
		if len(above) == 0 && w.hidden[name] {
			return fail(unix.ENOENT)
		}
		last := len(left) == 0
		if last && !follow {
			at.name = name
			return at, nil
		}
		fd, err := openat(at.dir, name, unix.O_PATH|unix.O_NOFOLLOW, 0)
		if err == unix.ENOENT && last {
			at.name = name
			return at, nil
		}
		if err != nil {
			return fail(err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			_ = unix.Close(fd)
			return fail(err)
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			target, err := readlinkat(fd, "")
			_ = unix.Close(fd)
			if err != nil {
				return fail(err)
			}
			if links++; links > maxLinks {
				return fail(unix.ELOOP)
			}
			if strings.HasPrefix(target, "/") {
				above = nil
				if err := w.again(at, nil); err != nil {
					return fail(err)
				}
			}
			left = append(strings.Split(target, "/"), left...)
		case unix.S_IFDIR:
			if len(above) == maxDepth {
				_ = unix.Close(fd)
				return fail(unix.ENAMETOOLONG)
			}
			if last {
				_ = unix.Close(fd)
				at.name = name
				return at, nil
			}
			above = append(above, name)
			at.close()
			at.dir, at.root = fd, false
		default:
			_ = unix.Close(fd)
			if !last {
				return fail(unix.ENOTDIR)
			}
			at.name = name
			return at, nil
		}
	}
	at.name = "."
	return at, nil
}

// again goes to a directory by names that were directories a moment ago.
func (w *walker) again(at *place, names []string) error {
	at.close()
	at.dir, at.root = int(w.root.Fd()), true
	for _, name := range names {
		fd, err := openat(at.dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		at.close()
		at.dir, at.root = fd, false
	}
	return nil
}

func (w *walker) open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	follow := flag&unix.O_NOFOLLOW == 0 && flag&(unix.O_CREAT|unix.O_EXCL) != unix.O_CREAT|unix.O_EXCL
	for try := 0; ; try++ {
		at, err := w.walk(path, follow)
		if err != nil {
			return nil, err
		}
		fd, err := openat(at.dir, at.name, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, uint32(perm.Perm()))
		at.close()
		if err == unix.ELOOP && follow && try < maxTries {
			continue // it has become a link since it was looked at
		}
		if err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}

func (w *walker) stat(path string, follow bool) (fs.FileInfo, error) {
	at, err := w.walk(path, follow)
	if err != nil {
		return nil, err
	}
	defer at.close()
	fd, err := openat(at.dir, at.name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	return f.Stat()
}

// in runs do at the place of a path whose last name is not followed.
func (w *walker) in(path string, do func(*place) error) error {
	at, err := w.walk(path, false)
	if err != nil {
		return err
	}
	defer at.close()
	return retry(func() error { return do(at) })
}

func (w *walker) mkdir(path string, perm fs.FileMode) error {
	return w.in(path, func(at *place) error { return unix.Mkdirat(at.dir, at.name, uint32(perm)) })
}

func (w *walker) rmdir(path string) error {
	return w.in(path, func(at *place) error { return unix.Unlinkat(at.dir, at.name, unix.AT_REMOVEDIR) })
}

func (w *walker) unlink(path string) error {
	return w.in(path, func(at *place) error { return unix.Unlinkat(at.dir, at.name, 0) })
}

func (w *walker) rename(from, to string) error {
	return w.in(from, func(a *place) error {
		return w.in(to, func(b *place) error { return unix.Renameat(a.dir, a.name, b.dir, b.name) })
	})
}

func (w *walker) link(from, to string) error {
	return w.in(from, func(a *place) error {
		return w.in(to, func(b *place) error { return unix.Linkat(a.dir, a.name, b.dir, b.name, 0) })
	})
}

func (w *walker) symlink(target, path string) error {
	return w.in(path, func(at *place) error { return unix.Symlinkat(target, at.dir, at.name) })
}

func (w *walker) readlink(path string) (target string, err error) {
	err = w.in(path, func(at *place) (err error) {
		target, err = readlinkat(at.dir, at.name)
		return err
	})
	return target, err
}

func (w *walker) utimens(path string, atime, mtime int64) error {
	at, err := w.walk(path, true)
	if err != nil {
		return err
	}
	defer at.close()
	return unix.UtimesNanoAt(at.dir, at.name, timespecs(atime, mtime), unix.AT_SYMLINK_NOFOLLOW)
}

func (w *walker) hides(entry string) bool { return w.hidden[entry] }

func openat(dir int, name string, flag int, perm uint32) (fd int, err error) {
	err = retry(func() (err error) {
		fd, err = unix.Openat(dir, name, flag|unix.O_CLOEXEC, perm)
		return err
	})
	return fd, err
}

func readlinkat(dir int, name string) (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// retry repeats a system call that a signal interrupted. Go's own signals do that on some filesystems.
func retry(do func() error) error {
	for {
		if err := do(); err != unix.EINTR {
			return err
		}
	}
}
