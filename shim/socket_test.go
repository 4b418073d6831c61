//go:build linux

package shim

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOnlyTheSocketOfADeadShimIsRemoved(t *testing.T) {
	for _, tc := range []struct {
		name    string
		listen  func(t *testing.T, path string) *net.UnixListener
		removed bool
	}{
		{"a shim that listens", listens, false},
		{"a shim with more callers than it has room for", listensWithoutRoom, false},
		{"a shim that was killed", isKilled, true},
		{"a shim that has ended", func(*testing.T, string) *net.UnixListener { return nil }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			tc.listen(t, path)
			f, err := listenOrJoin("unix://" + path)
			if err != nil {
				t.Fatal(err)
			}
			if f != nil {
				f.Close() // which makes it one of a dead shim again
			}
			if replaced := f != nil; replaced != tc.removed {
				t.Errorf("start replaced the socket: %v, want %v", replaced, tc.removed)
			}
			removeSocket("unix://" + path)
			if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) != tc.removed {
				t.Errorf("the socket's file: %v, want it removed: %v", err, tc.removed)
			}
		})
	}
}

func listens(t *testing.T, path string) *net.UnixListener {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	t.Cleanup(func() { l.Close() })
	return l
}

func isKilled(t *testing.T, path string) *net.UnixListener {
	l := listens(t, path)
	l.Close()
	return l
}

// listensWithoutRoom takes as many connections as fit in without one being accepted.
func listensWithoutRoom(t *testing.T, path string) *net.UnixListener {
	l := listens(t, path)
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), 1) }), err); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		c, err := net.Dial("unix", path)
		if errors.Is(err, unix.EAGAIN) {
			return l
		} else if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("there is room for more callers than the test makes")
	return nil
}
