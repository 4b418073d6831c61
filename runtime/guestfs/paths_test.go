package guestfs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// readAt returns what is in a file below a directory.
func readAt(dir *File, path string) (string, error) {
	f, err := dir.OpenAt(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, 100)
	n, err := f.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return string(b[:n]), err
}

// changes are all ways in which a directory changes what is at a path. They return what they may.
func changes(dir *File, path string) map[string]error {
	create := func(flag int) error {
		f, err := dir.OpenAt(path, flag|os.O_RDWR|os.O_CREATE, NewFile)
		if err == nil {
			_ = f.Close()
		}
		return err
	}
	return map[string]error{
		"set times":               dir.SetTimesAt(path, true, Now(), Now()),
		"set times of a link":     dir.SetTimesAt(path, false, Now(), Now()),
		"create":                  create(0),
		"create exclusively":      create(os.O_EXCL),
		"truncate":                create(os.O_TRUNC),
		"mkdir":                   dir.MkdirAt(path, NewDir),
		"symlink":                 dir.SymlinkAt("file", path),
		"link to it":              dir.LinkAt(path, dir, "taken"),
		"link from it":            dir.LinkAt("file", dir, path),
		"rename to it":            dir.RenameAt("aside", dir, path),
		"rename it":               dir.RenameAt(path, dir, "aside"),
		"rmdir":                   dir.RmdirAt(path),
		"unlink":                  dir.UnlinkAt(path),
		"rename it by a slash":    dir.RenameAt(path+"/", dir, "aside"),
		"rmdir by a slash":        dir.RmdirAt(path + "/"),
		"set times by a slash":    dir.SetTimesAt(path+"/", true, Now(), Now()),
		"what is above, by names": dir.MkdirAt(path+"/../../new", NewDir),
	}
}

func TestNothingOutsideIsChanged(t *testing.T) {
	trees(t, func(t *testing.T, host string, dir *File) {
		outer := filepath.Dir(host)
		before, err := os.Stat(filepath.Join(outer, "secret"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(host, "aside"), "aside")
		write(t, filepath.Join(host, "taken"), "taken")
		link(t, "..", filepath.Join(host, "above"))
		link(t, "../..", filepath.Join(host, "sub", "above"))
		link(t, outer, filepath.Join(host, "absolute"))
		for _, path := range []string{"../secret", "../new", "above/secret", "above/new", "sub/above/secret", "sub/../../secret",
			"absolute/secret", "absolute/new", outer + "/secret", "/secret", "above/root/../secret"} {
			for name, err := range changes(dir, path) {
				// The links lead nowhere else in a container, but to its root.
				if err == nil && !(dir.container() && strings.Contains(path, "above")) {
					t.Errorf("%s %s succeeded", name, path)
				}
			}
		}
		unchanged(t, outer, before)
	})
}

func unchanged(t *testing.T, outer string, before os.FileInfo) {
	t.Helper()
	entries, err := os.ReadDir(outer)
	if err != nil || len(entries) != 2 {
		t.Errorf("something was left outside: %v, %v", entries, err)
	}
	after, err := os.Stat(filepath.Join(outer, "secret"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() {
		t.Errorf("the secret has changed: %v, %v", after, err)
	}
}

// TestADirectoryThatIsSwappedIsChangedNowhereElse changes what is below a name, while that becomes a link to what is above, and a directory
// again.
func TestADirectoryThatIsSwappedIsChangedNowhereElse(t *testing.T) {
	trees(t, func(t *testing.T, host string, dir *File) {
		outer := filepath.Dir(host)
		before, err := os.Stat(filepath.Join(outer, "secret"))
		if err != nil {
			t.Fatal(err)
		}
		in := func(name string) string { return filepath.Join(host, name) }
		var stop atomic.Bool
		var group sync.WaitGroup
		defer group.Wait()
		defer stop.Store(true)
		group.Go(func() {
			for !stop.Load() {
				_ = os.Rename(in("sub"), in("away"))
				_ = os.Symlink("..", in("sub"))
				_ = os.Remove(in("sub"))
				_ = os.Rename(in("away"), in("sub"))
			}
		})
		succeeded := 0
		for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); {
			_ = os.RemoveAll(in("aside")) // a directory, when one that was made was renamed to it
			write(t, in("aside"), "aside")
			for _, path := range []string{"sub/secret", "sub/new", "sub/deep/../secret"} {
				for _, err := range changes(dir, path) {
					if err == nil {
						succeeded++
					}
				}
			}
		}
		stop.Store(true)
		group.Wait()
		if succeeded == 0 {
			t.Error("nothing was changed: nothing was tried")
		}
		unchanged(t, outer, before)
	})
}

// TestLinksInAContainer are those that a container's root has and a named directory must not.
func TestLinksInAContainer(t *testing.T) {
	host := filepath.Join(t.TempDir(), "root")
	write(t, filepath.Join(host, "file"), "content")
	write(t, filepath.Join(host, "sub", "deep", "file"), "deep content")
	write(t, filepath.Join(host, "hidden", "file"), "hidden content")
	write(t, filepath.Join(host, "..", "secret"), "secret")
	files, err := containerFiles(host)
	if err != nil {
		t.Fatal(err)
	}
	if files == nil {
		t.Skip("only on Linux")
	}
	defer files.Close()
	dir := files.preopens[0].Dir
	for name, target := range map[string]string{
		"absolute": "/sub/deep/file", "far": "../../../../file", "sub/far": "../../../../file", "self": "/", "sub/self": "/.././",
		"hide": "/hidden", "sub/hide": "../hidden/file", "twice": "/self/sub/self/hidden/file",
	} {
		link(t, target, filepath.Join(host, name))
	}
	for path, want := range map[string]string{
		"absolute": "deep content", "far": "content", "sub/far": "content", "self/file": "content", "sub/self/file": "content",
		"self/sub/self/sub/deep/file": "deep content", "sub/self/../file": "", "../file": "",
		"hide": "", "hide/file": "", "sub/hide": "", "twice": "", "self/hidden/file": "", "sub/../hidden/file": "", "./hidden": "",
	} {
		if got, err := readAt(dir, path); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	for _, path := range []string{".", "self", "sub/self", "self/sub/self/"} {
		d, err := dir.OpenAt(path, os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if entries, err := d.ReadDir(-1); err != nil || slices.ContainsFunc(entries, func(e Entry) bool { return e.Name == "hidden" }) {
			t.Errorf("%s lists what is hidden: %v, %v", path, entries, err)
		}
		if _, err := d.StatAt("hidden", false); err != unix.ENOENT {
			t.Errorf("below %s: %v", path, err)
		}
		d.Close()
	}
	// A directory that is opened confines: who is given it gets no more.
	sub, err := dir.OpenAt("sub", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for path, want := range map[string]error{"deep/file": nil, "far": unix.EPERM, "self/file": unix.EPERM, "hide": unix.EPERM, "../file": unix.EPERM} {
		if _, err := readAt(sub, path); err != want {
			t.Errorf("%s below sub: %v, want %v", path, err, want)
		}
	}
}

func TestPathsAreBounded(t *testing.T) {
	trees(t, func(t *testing.T, host string, dir *File) {
		deep := dir
		for range 300 { // each below the last: no path is that long
			if err := deep.MkdirAt("d", NewDir); err != nil {
				t.Fatal(err)
			}
			next, err := deep.OpenAt("d", os.O_RDONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_ = deep.Close()
			deep = next
		}
		_ = deep.Close()
		link(t, strings.Repeat("d/", 200), filepath.Join(host, "deep"))
		link(t, "deep/"+strings.Repeat("d/", 90), filepath.Join(host, "deeper"))
		link(t, "loop/x", filepath.Join(host, "loop"))
		link(t, strings.Repeat("d/", 200)+strings.Repeat("../d/", 100), filepath.Join(host, "around"))
		for path, want := range map[string]error{
			"deep": nil, "deeper": unix.ENAMETOOLONG, "around": unix.ELOOP, "loop": unix.ELOOP, "loop/": unix.ELOOP,
			strings.Repeat("d/", 300): unix.ENAMETOOLONG, strings.Repeat("x", 256): unix.ENAMETOOLONG,
			strings.Repeat("./", 2048) + "file": unix.ENAMETOOLONG, strings.Repeat("./", 2000) + "file": nil,
		} {
			if _, err := dir.StatAt(path, true); err != want {
				t.Errorf("%.20s…: %v, want %v", path, err, want)
			}
		}
	})
}

// TestAllGuestsTogetherHaveABound does not open as many files as there may be.
func TestAllGuestsTogetherHaveABound(t *testing.T) {
	trees(t, func(t *testing.T, _ string, dir *File) {
		defer func(n int64) { maxOpen = n }(maxOpen)
		maxOpen = open.Load() + 1
		f, err := dir.OpenAt("file", os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := dir.OpenAt("file", os.O_RDONLY, 0); err != unix.ENFILE {
			t.Errorf("one too many: %v", err)
		}
		if _, err := dir.OpenAt("missing", os.O_RDONLY, 0); !errors.Is(err, unix.ENFILE) {
			t.Errorf("one too many: %v", err)
		}
		_ = f.Close()
		for range 3 {
			if _, err := dir.OpenAt("missing", os.O_RDONLY, 0); err != unix.ENOENT {
				t.Errorf("after one was closed: %v", err)
			}
		}
	})
}

func FuzzPaths(f *testing.F) {
	for _, path := range []string{"file", "sub/deep/../deep/file", "../secret", "above/secret", "absolute", "/", "a\x00", "sub//./deep/", "loop"} {
		f.Add(path)
	}
	outer := f.TempDir()
	host := filepath.Join(outer, "root")
	if err := errors.Join(os.MkdirAll(filepath.Join(host, "sub", "deep"), 0o755), os.WriteFile(filepath.Join(outer, "secret"), []byte("secret"), 0o644),
		os.WriteFile(filepath.Join(host, "sub", "deep", "file"), []byte("content"), 0o644), os.Symlink("..", filepath.Join(host, "above")),
		os.Symlink(outer, filepath.Join(host, "absolute")), os.Symlink("loop", filepath.Join(host, "loop"))); err != nil {
		f.Fatal(err)
	}
	files, err := OpenDirs([]Mount{{Host: host, Guest: "/"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = files.Close() })
	f.Fuzz(func(t *testing.T, path string) {
		if got, _ := readAt(files.preopens[0].Dir, path); got == "secret" {
			t.Errorf("%q leads outside", path)
		}
	})
}
