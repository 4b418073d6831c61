//go:build linux

package podnet

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
)

// nobody is the container's user in these tests.
var nobody = User{UID: 65532, GID: 65532}

// ownedDir returns a directory of the container's user, for everybody to reach.
func ownedDir(t *testing.T, u User) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "podnet-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chown(dir, u.UID, u.GID)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func at(path string) []config.Address { return []config.Address{{Network: "unix", Path: path}} }

func TestAUnixSocketIsTheContainersOwn(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	path := filepath.Join(ownedDir(t, nobody), "app.sock")
	for _, id := range []string{"a", "b"} {
		if _, err := p.Listen(t.Context(), Owner{ID: id, Process: process, User: nobody}, at(path)); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil || st.Uid != 65532 || st.Gid != 65532 || st.Mode&0o777 != 0o666 {
			t.Errorf("owner %d:%d, mode %o, %v", st.Uid, st.Gid, st.Mode&0o777, err)
		}
		p.Release(id)
		p.unlinks.Wait()
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Error("the socket is still there")
		}
	}
}

func TestTheShimStaysWhoAndWhereItIs(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		dir := ownedDir(t, nobody)
		if _, err := p.Listen(t.Context(), Owner{ID: string(rune('a' + i)), Process: process, User: nobody}, at(dir+"/s")); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_CREATE|os.O_WRONLY, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Uid != 0 || st.Mode&0o022 != 0 {
			t.Errorf("a file of the shim has owner %d and mode %o, %v", st.Uid, st.Mode, err)
		}
		f.Close()
	}
	if after, err := os.Getwd(); err != nil || after != before {
		t.Errorf("the working directory was %s, is %s, %v", before, after, err)
	}
}

func TestWhatTheContainersUserMayNotDoIsNotDoneForIt(t *testing.T) {
	process := newContainer(t)
	for _, tc := range []struct {
		name    string
		prepare func(dir, path string) error
		owner   User // of the directory
		want    string
	}{
		{"a directory of somebody else", func(string, string) error { return nil }, User{}, "permission denied"},
		{"a socket of somebody else, who is gone", func(_, path string) error { return makeSocket(path, false) }, User{}, "permission denied"},
		{"a socket somebody listens on", func(_, path string) error { return makeSocket(path, true) }, nobody, "somebody listens"},
		{"a file", func(_, path string) error { return os.WriteFile(path, []byte("precious"), 0o600) }, nobody, "no socket"},
		{"a link", func(dir, path string) error { return os.Symlink(dir+"/elsewhere", path) }, nobody, "no socket"},
		{"no such directory", func(dir, _ string) error { return os.Remove(dir) }, nobody, "mount a volume there"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPod(t)
			dir := ownedDir(t, tc.owner)
			path := filepath.Join(dir, "app.sock")
			if err := tc.prepare(dir, path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			_, err := p.Listen(t.Context(), Owner{ID: "a", Process: process, User: nobody}, at(path))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
			after, _ := os.Lstat(path)
			if before != nil && !os.SameFile(before, after) {
				t.Error("what was there is there no more")
			}
		})
	}
}

// makeSocket leaves a socket at path, on which somebody listens until the test's end or nobody does.
func makeSocket(path string, live bool) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 1), unix.Chmod(path, 0o666))
	if !live || err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	time.AfterFunc(time.Second, func() { unix.Close(fd) })
	return nil
}

func TestASwapOfTheSocketForALinkChangesNothingElse(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	dir := ownedDir(t, nobody)
	path := filepath.Join(dir, "app.sock")
	victim := filepath.Join(t.TempDir(), "shadow")
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path+".link"); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, path+".link", unix.RENAME_EXCHANGE)
			}
		}
	}()
	for range 200 {
		_, _ = p.Listen(t.Context(), Owner{ID: "a", Process: process, User: nobody}, at(path))
		p.Release("a")
		p.unlinks.Wait()
	}
	close(stop)
	<-stopped
	info, err := os.Stat(victim)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the node's file is now %v, %v", info.Mode(), err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 {
		t.Errorf("the node's file is now user %d's", st.Uid)
	}
}
