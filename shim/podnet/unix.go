//go:build linux

package podnet

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/shim/beneath"
)

// maxSocketName is what fits into a socket's address beside the final zero, in bytes.
const maxSocketName = 107

// bindUnix makes a unix socket at a path as the container sees it: in its mount namespace, links followed within its root.
//
// The path and all on the way to it can be another container's, or the node's, through volumes. So the thread that does it is the
// container's user first: root does here what that user may do and nothing else, and what it makes is that user's from the start.
func bindUnix(o Owner, a config.Address) (*socket, error) {
	base := path.Base(a.Path)
	if len(base) > maxSocketName {
		return nil, fmt.Errorf("the name of the socket has %d bytes, at most %d are possible; choose a shorter one", len(base), maxSocketName)
	}
	s := &socket{}
	return s, onOwnThread(func() error {
		dir, err := enterDirectory(o, path.Dir(a.Path))
		if err != nil {
			return err
		}
		f, made, err := bindHere(base)
		if err != nil {
			unix.Close(dir)
			return err
		}
		s.file = f
		s.unlink = func() {
			defer unix.Close(dir)
			_ = onOwnThread(func() error { return removeOwn(o.User, dir, base, made) })
		}
		return nil
	})
}

// enterDirectory makes the thread the container's user, in a directory of the container.
func enterDirectory(o Owner, dir string) (int, error) {
	root, err := unix.Openat(int(o.Process.Fd()), "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open the container's root: %w", err)
	}
	defer unix.Close(root)
	if err := o.User.become(); err != nil {
		return -1, err
	}
	fd, err := beneath.Open(root, dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return -1, fmt.Errorf("open directory %s in the container: %w; mount a volume there that its user may use", dir, err)
	}
	if err := goTo(fd); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// goTo makes dir the working directory of this thread alone, with no mode bits masked.
func goTo(dir int) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("leave the shim's working directory: %w", err)
	}
	unix.Umask(0)
	return unix.Fchdir(dir)
}

// identity tells a file from another of the same name.
type identity struct{ dev, ino uint64 }

// bindHere makes a listening socket in the working directory.
func bindHere(base string) (*os.File, identity, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, identity{}, err
	}
	f := os.NewFile(uintptr(fd), base)
	made, err := bindAndListen(fd, base)
	if err != nil {
		f.Close()
		return nil, identity{}, err
	}
	return f, made, nil
}

func bindAndListen(fd int, base string) (identity, error) {
	if err := removeStale(base); err != nil {
		return identity{}, err
	}
	// Everybody may connect whom the directory lets in, which the pod's author chose.
	if err := unix.Fchmod(fd, 0o666); err != nil {
		return identity{}, err
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: base}); err != nil {
		return identity{}, fmt.Errorf("%w; does the container's user own the directory?", err)
	}
	var st unix.Stat_t
	if err := unix.Fstatat(unix.AT_FDCWD, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return identity{}, err
	}
	return identity{st.Dev, st.Ino}, unix.Listen(fd, backlog)
}

// removeStale removes the socket that a container before left, if nobody listens on it any more.
func removeStale(base string) error {
	var st unix.Stat_t
	err := unix.Fstatat(unix.AT_FDCWD, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fmt.Errorf("%w: there is a file that is no socket; choose another path", ErrInUse)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: base}); !errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("%w: somebody listens on that socket; choose another path", ErrInUse)
	}
	return unix.Unlinkat(unix.AT_FDCWD, base, 0)
}

// removeOwn removes the socket that was made, unless it is another by now.
func removeOwn(u User, dir int, base string, made identity) error {
	if err := u.become(); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if (identity{st.Dev, st.Ino}) != made {
		return nil
	}
	return unix.Unlinkat(dir, base, 0)
}
