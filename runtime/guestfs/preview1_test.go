package guestfs

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// trees runs a test with every kind of files, over a directory that stands in another, which holds a secret.
func trees(t *testing.T, test func(t *testing.T, host string, dir *File)) {
	for name, open := range map[string]func(dir string) (*Files, error){
		"a named directory": func(d string) (*Files, error) { return OpenDirs([]Mount{{Host: d, Guest: "/"}}) },
		"a container":       containerFiles,
	} {
		t.Run(name, func(t *testing.T) {
			outer := t.TempDir()
			host := filepath.Join(outer, "root")
			write(t, filepath.Join(outer, "secret"), "secret")
			write(t, filepath.Join(host, "file"), "content")
			write(t, filepath.Join(host, "sub", "deep", "file"), "deep content")
			write(t, filepath.Join(host, "hidden", "file"), "hidden content")
			files, err := open(host)
			if err != nil {
				t.Fatal(err)
			}
			if files == nil {
				t.Skip("only on Linux")
			}
			defer files.Close()
			before := openNow()
			test(t, host, files.preopens[0].Dir)
			if after := openNow(); after != before {
				t.Errorf("%d files are open, %d were", after, before)
			}
		})
	}
}

func openNow() int64 { return open.Load() }

// preview1 runs a test with every kind of files as guests made for WASI 0.1 see them.
func preview1(t *testing.T, test func(t *testing.T, host string, guest sys.FS)) {
	trees(t, func(t *testing.T, host string, dir *File) { test(t, host, &preview1FS{root: dir}) })
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// read returns what a guest reads at a path.
func read(f sys.FS, path string) (string, sys.Errno) {
	o, errno := f.OpenFile(path, sys.O_RDONLY, 0)
	if errno != 0 {
		return "", errno
	}
	defer o.Close()
	b := make([]byte, 100)
	n, errno := o.Read(b)
	return string(b[:n]), errno
}

func TestFilesAreRead(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		link(t, "sub/deep/file", filepath.Join(host, "relative"))
		link(t, "../../file", filepath.Join(host, "sub", "deep", "up"))
		link(t, "sub/./deep//../deep/", filepath.Join(host, "directory"))
		for path, want := range map[string]string{
			"file": "content", "./file": "content", "/file": "content", "sub/../file": "content", "sub/deep/file": "deep content",
			"relative": "deep content", "sub/deep/up": "content", "directory/file": "deep content", "directory/up": "content",
		} {
			if got, errno := read(guest, path); errno != 0 || got != want {
				t.Errorf("%s: %q, %v; want %q", path, got, errno, want)
			}
			if st, errno := guest.Stat(path); errno != 0 || st.Size != int64(len(want)) || !st.Mode.IsRegular() {
				t.Errorf("stat %s: %+v, %v", path, st, errno)
			}
		}
		if st, errno := guest.Lstat("relative"); errno != 0 || st.Mode&os.ModeSymlink == 0 {
			t.Errorf("lstat of a link: %v, %v", st.Mode, errno)
		}
		if target, errno := guest.Readlink("relative"); errno != 0 || target != "sub/deep/file" {
			t.Errorf("readlink: %q, %v", target, errno)
		}
	})
}

func TestErrorsAreThoseOfPOSIX(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		link(t, "loop", filepath.Join(host, "loop"))
		link(t, "file", filepath.Join(host, "link"))
		long := strings.Repeat("a", 300)
		for _, c := range []struct {
			path string
			flag sys.Oflag
			want sys.Errno
		}{
			{"missing", sys.O_RDONLY, sys.ENOENT},
			{"missing/file", sys.O_RDONLY, sys.ENOENT},
			{"file/file", sys.O_RDONLY, sys.ENOTDIR},
			{"file/", sys.O_RDONLY, sys.ENOTDIR},
			{"loop", sys.O_RDONLY, sys.ELOOP},
			{"link", sys.O_RDONLY | sys.O_NOFOLLOW, sys.ELOOP},
			{"sub", sys.O_RDWR, sys.EISDIR},
			{"file", sys.O_RDWR | sys.O_CREAT | sys.O_EXCL, sys.EEXIST},
			{long, sys.O_RDONLY, sys.ENAMETOOLONG},
			{"a\x00b", sys.O_RDONLY, sys.EINVAL},
			{"", sys.O_RDONLY, 0},
		} {
			f, errno := guest.OpenFile(c.path, c.flag, 0o600)
			if errno != c.want {
				t.Errorf("open %.20q: %v, want %v", c.path, errno, c.want)
			}
			if errno == 0 {
				f.Close()
			}
		}
	})
}

func TestFilesAreWritten(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		ok := func(what string, errno sys.Errno) {
			t.Helper()
			if errno != 0 {
				t.Errorf("%s: %v", what, errno)
			}
		}
		f, errno := guest.OpenFile("new", sys.O_RDWR|sys.O_CREAT, 0o600)
		ok("create", errno)
		_, errno = f.Write([]byte("hello"))
		ok("write", errno)
		_, errno = f.Pwrite([]byte("J"), 0)
		ok("pwrite", errno)
		ok("append", f.SetAppend(true))
		_, errno = f.Seek(0, io.SeekStart)
		ok("seek", errno)
		_, errno = f.Write([]byte("!"))
		ok("write at the end", errno)
		ok("truncate", f.Truncate(6))
		ok("sync", f.Sync())
		ok("set times", f.Utimens(1e9, 2e9))
		if st, errno := f.Stat(); errno != 0 || st.Size != 6 || st.Mtim != 2e9 {
			t.Errorf("stat: %+v, %v", st, errno)
		}
		ok("close", f.Close())
		ok("close again", f.Close())
		if got, _ := os.ReadFile(filepath.Join(host, "new")); string(got) != "Jello!" {
			t.Errorf("written: %q", got)
		}
		ok("mkdir", guest.Mkdir("made", 0o700))
		ok("rename", guest.Rename("new", "made/renamed"))
		ok("link", guest.Link("made/renamed", "made/linked"))
		ok("symlink", guest.Symlink("renamed", "made/symlinked"))
		ok("set times by name", guest.Utimens("made/symlinked", 3e9, 4e9))
		if st, errno := guest.Stat("made/renamed"); errno != 0 || st.Nlink != 2 || st.Mtim != 4e9 {
			t.Errorf("stat: %+v, %v", st, errno)
		}
		if errno := guest.Rmdir("made/renamed"); errno != sys.ENOTDIR {
			t.Errorf("rmdir of a file: %v", errno)
		}
		if errno := guest.Unlink("made"); errno != sys.EISDIR {
			t.Errorf("unlink of a directory: %v", errno)
		}
		if errno := guest.Rmdir("made"); errno != sys.ENOTEMPTY {
			t.Errorf("rmdir of a directory with files: %v", errno)
		}
		for _, name := range []string{"made/renamed", "made/linked", "made/symlinked"} {
			ok("unlink", guest.Unlink(name))
		}
		ok("rmdir", guest.Rmdir("made"))
	})
}

func TestNothingLeadsOutside(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		outer := filepath.Dir(host)
		link(t, outer+"/secret", filepath.Join(host, "absolute"))
		link(t, "../secret", filepath.Join(host, "relative"))
		link(t, "../../../../../../../../../.."+outer+"/secret", filepath.Join(host, "sub", "far"))
		link(t, "..", filepath.Join(host, "above"))
		link(t, "../root/../secret", filepath.Join(host, "roundabout"))
		for _, path := range []string{"../secret", "sub/../../secret", "..", "absolute", "relative", "sub/far", "above/secret", "roundabout",
			outer + "/secret", "/../secret"} {
			if got, errno := read(guest, path); errno == 0 || got == "secret" {
				t.Errorf("%s leads to %q, %v", path, got, errno)
			}
			for name, errno := range map[string]sys.Errno{
				"rename": guest.Rename("file", path+"/x"), "unlink": guest.Unlink(path + "/secret"), "mkdir": guest.Mkdir(path+"/x", 0o700)} {
				if errno == 0 {
					t.Errorf("%s through %s succeeded", name, path)
				}
			}
		}
		if got, err := os.ReadFile(outer + "/secret"); err != nil || string(got) != "secret" {
			t.Fatalf("the secret is now %q, %v", got, err)
		}
		if entries, _ := os.ReadDir(outer); len(entries) != 2 {
			t.Errorf("something was left outside: %v", entries)
		}
	})
}

// TestALinkThatIsSwappedLeadsNowhereElse changes what a name is, from file to link and from directory to link, while it is opened.
func TestALinkThatIsSwappedLeadsNowhereElse(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		var stop atomic.Bool
		var group sync.WaitGroup
		in := func(name string) string { return filepath.Join(host, name) }
		group.Go(func() {
			for !stop.Load() {
				_ = os.Remove(in("swap"))
				_ = os.Symlink("../secret", in("swap"))
				_ = os.Remove(in("swap"))
				_ = os.Symlink("hidden/file", in("swap"))
				_ = os.Remove(in("swap"))
				_ = os.Link(in("file"), in("swap"))
			}
		})
		group.Go(func() {
			for !stop.Load() {
				_ = os.Rename(in("sub"), in("aside"))
				_ = os.Symlink("..", in("sub"))
				_ = os.Remove(in("sub"))
				_ = os.Symlink("hidden", in("sub"))
				_ = os.Remove(in("sub"))
				_ = os.Rename(in("aside"), in("sub"))
			}
		})
		allowed := []string{"", "content", "deep content"}
		if !guest.(*preview1FS).root.tree.container {
			allowed = append(allowed, "hidden content") // it hides nothing
		}
		reads := 0
		for until := time.Now().Add(500 * time.Millisecond); time.Now().Before(until); {
			for _, path := range []string{"swap", "sub/secret", "sub/deep/file", "sub/deep/../../swap", "sub/file"} {
				got, errno := read(guest, path)
				if !slices.Contains(allowed, got) {
					t.Errorf("%s led to %q", path, got)
				}
				if errno == 0 {
					reads++
				}
			}
			if errno := guest.Unlink("sub/secret"); errno == 0 {
				t.Error("the secret was removed")
			}
		}
		stop.Store(true)
		group.Wait()
		if reads == 0 {
			t.Error("not one file could be read: nothing was tried")
		}
	})
}

func TestDirectoriesAreListed(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		link(t, "file", filepath.Join(host, "link"))
		want := []string{"file", "hidden", "link", "sub"}
		if guest.(*preview1FS).root.tree.container {
			want = slices.DeleteFunc(want, func(s string) bool { return s == "hidden" })
		}
		for _, batch := range []int{-1, 1, 2, 100} {
			d, errno := guest.OpenFile(".", sys.O_RDONLY|sys.O_DIRECTORY, 0)
			if errno != 0 {
				t.Fatal(errno)
			}
			for range 2 { // and once more from the start
				var names []string
				for {
					entries, errno := d.Readdir(batch)
					if errno != 0 {
						t.Fatal(errno)
					}
					for _, e := range entries {
						st, errno := guest.Lstat(e.Name)
						if errno != 0 || st.Ino != e.Ino || st.Mode.Type() != e.Type {
							t.Errorf("%s is listed as %v and is %v, %v", e.Name, e, st, errno)
						}
						names = append(names, e.Name)
					}
					if batch < 0 || len(entries) == 0 {
						break
					}
				}
				slices.Sort(names)
				if !slices.Equal(names, want) {
					t.Errorf("in batches of %d: %v, want %v", batch, names, want)
				}
				if _, errno := d.Seek(0, io.SeekStart); errno != 0 {
					t.Fatal(errno)
				}
			}
			d.Close()
		}
	})
}

func TestReadOnlyIsNotWritten(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		guest.(*preview1FS).root.tree.readOnly = true
		if got, errno := read(guest, "file"); got != "content" || errno != 0 {
			t.Errorf("read: %q, %v", got, errno)
		}
		for what, errno := range map[string]sys.Errno{
			"mkdir": guest.Mkdir("x", 0o700), "rmdir": guest.Rmdir("sub"), "unlink": guest.Unlink("file"),
			"rename": guest.Rename("file", "x"), "link": guest.Link("file", "x"), "symlink": guest.Symlink("file", "x"),
			"utimens": guest.Utimens("file", 0, 0),
		} {
			if errno != sys.EROFS {
				t.Errorf("%s: %v", what, errno)
			}
		}
		for _, flag := range []sys.Oflag{sys.O_RDWR, sys.O_WRONLY, sys.O_CREAT, sys.O_TRUNC} {
			if f, errno := guest.OpenFile("file", flag, 0o600); errno != sys.EROFS {
				t.Errorf("open with %b: %v", flag, errno)
				if errno == 0 {
					f.Close()
				}
			}
		}
	})
}

func TestWhatMayBlockIsNotOpened(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		if err := syscall.Mkfifo(filepath.Join(host, "pipe"), 0o600); err != nil {
			t.Skip(err)
		}
		for _, flag := range []sys.Oflag{sys.O_RDONLY, sys.O_WRONLY, sys.O_RDWR} {
			if _, errno := guest.OpenFile("pipe", flag, 0o600); errno != sys.EACCES {
				t.Errorf("open a named pipe with %b: %v", flag, errno)
			}
		}
	})
}

func TestOpenDirsRefuses(t *testing.T) {
	d := t.TempDir()
	for name, mounts := range map[string][]Mount{
		"a directory that does not exist": {{Host: d + "/missing", Guest: "/"}},
		"a relative path of the guest":    {{Host: d, Guest: "/data"}, {Host: d, Guest: "data"}},
		"two directories at one place":    {{Host: d, Guest: "/data"}, {Host: d, Guest: "/data/"}},
	} {
		if _, err := OpenDirs(mounts); err == nil {
			t.Errorf("%s is accepted", name)
		} else {
			t.Log(err)
		}
	}
	files, err := OpenDirs([]Mount{{Host: d, Guest: "/"}, {Host: d, Guest: "/data", ReadOnly: true}})
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Error(err)
	}
}

// TestTheTimesOfALinkAreSet relies on how wazero opens a file for that.
func TestTheTimesOfALinkAreSet(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		link(t, "file", filepath.Join(host, "link"))
		f, errno := guest.OpenFile("link", sys.O_WRONLY, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		if errno := f.Utimens(1e9, 2e9); errno != 0 {
			t.Error(errno)
		}
		f.Close()
		if st, errno := guest.Lstat("link"); errno != 0 || st.Atim != 1e9 || st.Mtim != 2e9 {
			t.Errorf("of the link: %+v, %v", st, errno)
		}
		if st, errno := guest.Stat("link"); errno != 0 || st.Mtim == 2e9 {
			t.Errorf("of the file: %+v, %v", st, errno)
		}
	})
}

func TestAppendingLeavesOffsetsAlone(t *testing.T) {
	preview1(t, func(t *testing.T, host string, guest sys.FS) {
		f, errno := guest.OpenFile("file", sys.O_RDWR|sys.O_APPEND, 0o600)
		if errno != 0 {
			t.Fatal(errno)
		}
		defer f.Close()
		for _, step := range []func() (int, sys.Errno){
			func() (int, sys.Errno) { return f.Pwrite([]byte("C"), 0) },
			func() (int, sys.Errno) { return f.Write([]byte("!")) },
		} {
			if n, errno := step(); n != 1 || errno != 0 {
				t.Fatal(n, errno)
			}
		}
		if at, errno := f.Seek(0, io.SeekCurrent); at != 8 || errno != 0 {
			t.Errorf("the position is %d, %v", at, errno)
		}
		if got, _ := os.ReadFile(filepath.Join(host, "file")); string(got) != "Content!" {
			t.Errorf("content: %q", got)
		}
	})
}
