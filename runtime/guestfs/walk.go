package guestfs

import (
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	maxPath  = 4096 // bytes, as in Linux
	maxLinks = 40   // followed in one path, as in Linux
	maxDepth = 256  // directories below the one a path begins at
	maxSteps = 8192 // of one walk, each a system call that no deadline interrupts
	maxTries = 8    // when somebody changes what is being looked at
)

// place is an open directory and a name in it; "." is the directory itself.
type place struct {
	dir   int
	name  string
	first bool // dir is the directory where the path began, to be kept
}

func (p *place) close() {
	if !p.first {
		_ = unix.Close(p.dir)
	}
}

// self reports whether the place is the directory where the path began.
func (p *place) self() bool { return p.first && p.name == "." }

// at runs do at the place of a path, which is relative to the directory and need not exist. With follow the place is not that of a
// symbolic link. A slash at the path's end is not looked at.
func (f *File) at(path string, follow bool, do func(p *place) error) error {
	if err := checkPath(path); err != nil {
		return err
	}
	if !f.dir {
		return unix.ENOTDIR
	}
	defer runtime.KeepAlive(f)
	for try := 0; ; try++ {
		w := walk{from: f, fd: int(f.f.Fd()), place: place{dir: int(f.f.Fd()), name: ".", first: true}}
		err := w.to(path, follow)
		if err != nil {
			w.close()
			return err
		}
		err = retry(func() error { return do(&w.place) })
		w.close()
		if err == unix.ELOOP && follow && try < maxTries {
			continue // it has become a link since it was looked at
		}
		return err
	}
}

func checkPath(path string) error {
	switch {
	case path == "":
		return unix.ENOENT
	case len(path) > maxPath:
		return unix.ENAMETOOLONG
	case strings.IndexByte(path, 0) >= 0:
		return unix.EINVAL
	case path[0] == '/':
		return unix.EPERM
	}
	return nil
}

// walk goes to the place of a path.
//
// It takes one step at a time, each from an open directory by a single name and without following links, which it reads itself. To
// get to a hidden directory one must go through the root by its name, and there the walk looks. So nobody who changes links or moves
// directories meanwhile leads it there.
type walk struct {
	place
	from  *File
	fd    int      // of from
	above []string // names of the directories gone through
	left  []string // names to go through
	links int      // followed so far
	steps int      // taken so far
	link  int      // how many of left come from links
}

func (w *walk) to(path string, follow bool) error {
	w.left = strings.Split(strings.TrimRight(path, "/"), "/")
	for len(w.left) > 0 {
		name := w.left[0]
		w.left = w.left[1:]
		linked := w.link > 0
		if linked {
			w.link--
		}
		var err error
		switch {
		case name == "" || name == ".":
		case name == "..":
			err = w.up(linked)
		case len(w.above) == 0 && w.from.hides(name):
			return unix.ENOENT
		case len(w.left) == 0:
			var done bool
			if done, err = w.last(name, follow); done {
				return nil
			}
		default:
			err = w.down(name)
		}
		if err != nil {
			return err
		}
	}
	w.name = "."
	return nil
}

// up goes by the way we came, from the start. The kernel's ".." may lead elsewhere by now.
func (w *walk) up(linked bool) error {
	if len(w.above) > 0 {
		return w.again(w.above[:len(w.above)-1])
	}
	if linked && w.from.container() {
		return nil // as in any root
	}
	return unix.EPERM
}

// again goes to a directory by names that were directories a moment ago.
func (w *walk) again(names []string) error {
	w.close()
	w.dir, w.first, w.above = w.fd, true, names
	for _, name := range names {
		fd, err := w.step(name)
		if err != nil {
			return err
		}
		w.close()
		w.dir, w.first = fd, false
	}
	return nil
}

// step opens a directory to go through.
func (w *walk) step(name string) (fd int, err error) {
	if w.steps++; w.steps > maxSteps {
		return -1, unix.ELOOP
	}
	return openat(w.dir, name, stepFlags, 0)
}

// down enters a directory.
func (w *walk) down(name string) error {
	fd, err := w.step(name)
	switch {
	case w.steps > maxSteps: // not a link
		return err
	case err == unix.ENOTDIR || err == unix.ELOOP:
		if isLink, err := w.follow(name); isLink || err != nil {
			return err
		}
		return unix.ENOTDIR
	case err != nil:
		return err
	case len(w.above) == maxDepth:
		_ = unix.Close(fd)
		return unix.ENAMETOOLONG
	}
	w.close()
	w.dir, w.first = fd, false
	w.above = append(w.above[:len(w.above):len(w.above)], name)
	return nil
}

// last ends the walk at a name, unless it is that of a link to be followed.
func (w *walk) last(name string, follow bool) (done bool, err error) {
	if follow {
		isLink, err := w.follow(name)
		if isLink || err != nil && err != unix.ENOENT {
			return false, err
		}
	}
	w.name = name
	return true, nil
}

// follow puts what a symbolic link holds in front of what is left. It reports false for what is no link.
func (w *walk) follow(name string) (isLink bool, err error) {
	target, err := readlinkat(w.dir, name)
	if err == unix.EINVAL {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if w.links++; w.links > maxLinks {
		return true, unix.ELOOP
	}
	if strings.HasPrefix(target, "/") {
		if !w.from.container() {
			return true, unix.EPERM
		}
		if err := w.again(nil); err != nil {
			return true, err
		}
	}
	names := strings.Split(target, "/")
	w.left = append(names, w.left...)
	w.link += len(names)
	return true, nil
}

func openat(dir int, name string, flag int, perm uint32) (fd int, err error) {
	err = retry(func() (err error) {
		fd, err = unix.Openat(dir, name, flag|unix.O_CLOEXEC, perm)
		return err
	})
	return fd, err
}

func readlinkat(dir int, name string) (string, error) {
	b := make([]byte, maxPath)
	n := 0
	err := retry(func() (err error) {
		n, err = unix.Readlinkat(dir, name, b)
		return err
	})
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
