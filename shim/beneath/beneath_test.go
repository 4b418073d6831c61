//go:build linux

package beneath

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNoLinkLeadsOut(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := t.TempDir()
	for name, content := range map[string]string{"file": "inside", "dir/file": "inside"} {
		p := filepath.Join(inside, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"absolute": "/file", "relative": "dir/../file", "climbs": "../../../../../../../../file",
		"out": outside + "/secret", "loop": "loop", "nowhere": "/missing",
	} {
		if err := os.Symlink(target, filepath.Join(inside, name)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := unix.Open(inside, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)
	for which, open := range map[string]func(int, string, int) (int, error){"openat2": Open, "old kernels": openOld} {
		for path, want := range map[string]error{
			"/file": nil, "absolute": nil, "relative": nil, "climbs": nil, "/dir/file": nil,
			"out": unix.ENOENT, "nowhere": unix.ENOENT, "loop": unix.ELOOP,
		} {
			t.Run(which+" "+path, func(t *testing.T) {
				fd, err := open(root, path, unix.O_RDONLY)
				if !errors.Is(err, want) && !(want == unix.ELOOP && err != nil) {
					t.Fatalf("got %v, want %v", err, want)
				}
				if err != nil {
					return
				}
				f := os.NewFile(uintptr(fd), path)
				defer f.Close()
				b := make([]byte, 16)
				n, _ := f.Read(b)
				if string(b[:n]) != "inside" {
					t.Errorf("read %q", b[:n])
				}
			})
		}
	}
}
