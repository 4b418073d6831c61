//go:build linux

package podnet

import (
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
)

// bindUnix makes a unix socket at a path as the container sees it: in its mount namespace, links followed within its root.
func bindUnix(o Owner, a config.Address) (*socket, error) {
	root, err := unix.Open(fmt.Sprintf("/proc/%d/root", o.Pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the container's root: %w", err)
	}
	defer unix.Close(root)
	dir, err := unix.Openat2(root, path.Dir(a.Path), &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, fmt.Errorf("open directory %s in the container: %w; mount a volume there", path.Dir(a.Path), err)
	}
	base := path.Base(a.Path)
	f, err := bindUnixAt(o, dir, base)
	if err != nil {
		unix.Close(dir)
		return nil, err
	}
	unlink := func() {
		_ = unix.Unlinkat(dir, base, 0)
		unix.Close(dir)
	}
	return &socket{address: a, file: f, owner: o, active: true, unlink: unlink}, nil
}

func bindUnixAt(o Owner, dir int, base string) (*os.File, error) {
	if err := removeStale(dir, base); err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), base)
	bound := fmt.Sprintf("/proc/self/fd/%d/%s", dir, base)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: bound}); err != nil {
		f.Close()
		return nil, err
	}
	// Who may connect is decided by the directory the pod's author chose.
	err = unix.Fchmodat(dir, base, 0o666, 0)
	if err == nil {
		err = unix.Fchownat(dir, base, o.UID, o.GID, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		_ = unix.Unlinkat(dir, base, 0)
		f.Close()
		return nil, err
	}
	return f, nil
}

// removeStale removes the socket that a container before left at the same path, and nothing that is no socket.
func removeStale(dir int, base string) error {
	var st unix.Stat_t
	err := unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fmt.Errorf("%w: there is a file that is no socket; choose another path", ErrInUse)
	}
	return unix.Unlinkat(dir, base, 0)
}
