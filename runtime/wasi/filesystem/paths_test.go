package filesystem

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

func TestPaths(t *testing.T) {
	type step struct {
		method string
		args   []component.Value
		want   string
	}
	long := strings.Repeat("x", 300)
	// self stands for the preopen as an argument, child for a descriptor of child.
	self, child := abi.String("<self>"), abi.String("<child>")
	for name, steps := range map[string][]step{
		"a directory is created": {
			{"create-directory-at", []component.Value{str("")}, "no-entry"},
			{"create-directory-at", []component.Value{str(".")}, "exist"},
			{"create-directory-at", []component.Value{str("..")}, "not-permitted"},
			{"create-directory-at", []component.Value{str("/")}, "not-permitted"},
			{"create-directory-at", []component.Value{str("/x")}, "not-permitted"},
			{"create-directory-at", []component.Value{str("../x")}, "not-permitted"},
			{"create-directory-at", []component.Value{str("child/../../x")}, "not-permitted"},
			{"create-directory-at", []component.Value{str("parent/x")}, "not-permitted"},
			{"create-directory-at", []component.Value{str("a.txt")}, "exist"},
			{"create-directory-at", []component.Value{str("a.txt/x")}, "not-directory"},
			{"create-directory-at", []component.Value{str("missing/x")}, "no-entry"},
			{"create-directory-at", []component.Value{str("missing/../x")}, "no-entry"},
			{"create-directory-at", []component.Value{str(long)}, "name-too-long"},
			{"create-directory-at", []component.Value{str(strings.Repeat("./", 3000))}, "name-too-long"},
			{"create-directory-at", []component.Value{str("a\x00b")}, "invalid"},
			{"create-directory-at", []component.Value{str("x///")}, "ok"},
			{"create-directory-at", []component.Value{str("child/../x/y")}, "ok"},
			{"stat-at", []component.Value{noFollow, str("x/y/")}, "ok"},
		},
		"a directory is removed": {
			{"remove-directory-at", []component.Value{str("")}, "no-entry"},
			{"remove-directory-at", []component.Value{str(".")}, "invalid"},
			{"remove-directory-at", []component.Value{str("..")}, "not-permitted"},
			{"remove-directory-at", []component.Value{str("/")}, "not-permitted"},
			{"remove-directory-at", []component.Value{str("a.txt")}, "not-directory"},
			{"remove-directory-at", []component.Value{str("a.txt/")}, "not-directory"},
			{"remove-directory-at", []component.Value{str("parent")}, "not-directory"},
			{"remove-directory-at", []component.Value{str("parent/")}, "not-permitted"},
			{"remove-directory-at", []component.Value{str("child")}, "not-empty"},
			{"unlink-file-at", []component.Value{str("child/c.txt")}, "ok"},
			{"remove-directory-at", []component.Value{str("child//")}, "ok"},
			{"remove-directory-at", []component.Value{str("child")}, "no-entry"},
		},
		"a file is removed": {
			{"unlink-file-at", []component.Value{str("")}, "no-entry"},
			{"unlink-file-at", []component.Value{str(".")}, "is-directory"},
			{"unlink-file-at", []component.Value{str("..")}, "not-permitted"},
			{"unlink-file-at", []component.Value{str("../")}, "not-permitted"},
			{"unlink-file-at", []component.Value{str("../secret")}, "not-permitted"},
			{"unlink-file-at", []component.Value{str("parent/secret")}, "not-permitted"},
			{"unlink-file-at", []component.Value{str("/etc/passwd")}, "not-permitted"},
			{"unlink-file-at", []component.Value{str("missing")}, "no-entry"},
			{"unlink-file-at", []component.Value{str("child")}, "is-directory"},
			{"unlink-file-at", []component.Value{str("child/")}, "is-directory"},
			{"unlink-file-at", []component.Value{str("a.txt/")}, "not-directory"},
			{"unlink-file-at", []component.Value{str("a.txt")}, "ok"},
			{"unlink-file-at", []component.Value{str("parent")}, "ok"},
			{"unlink-file-at", []component.Value{str("a.txt")}, "no-entry"},
		},
		"something is renamed": {
			{"rename-at", []component.Value{str("a.txt"), self, str("a.txt")}, "ok"},
			{"rename-at", []component.Value{str("."), self, str("x")}, "busy"},
			{"rename-at", []component.Value{str(""), self, str("x")}, "no-entry"},
			{"rename-at", []component.Value{str("a.txt"), self, str("")}, "no-entry"},
			{"rename-at", []component.Value{str("a.txt"), self, str("../x")}, "not-permitted"},
			{"rename-at", []component.Value{str("a.txt"), self, str("parent/x")}, "not-permitted"},
			{"rename-at", []component.Value{str("a.txt"), self, str("/tmp/x")}, "not-permitted"},
			{"rename-at", []component.Value{str("parent/secret"), self, str("x")}, "not-permitted"},
			{"rename-at", []component.Value{str("a.txt"), self, str("x/")}, "not-directory"},
			{"rename-at", []component.Value{str("a.txt/"), self, str("x")}, "not-directory"},
			{"rename-at", []component.Value{str("a.txt"), self, str("child")}, "is-directory"},
			{"rename-at", []component.Value{str("child"), self, str("a.txt")}, "not-directory"},
			{"rename-at", []component.Value{str("child"), self, str("child/below")}, "invalid"},
			{"rename-at", []component.Value{str("a.txt"), child, str("../x")}, "not-permitted"},
			{"rename-at", []component.Value{str("a.txt"), child, str("moved")}, "ok"},
			{"rename-at", []component.Value{str("a.txt"), self, str("moved")}, "no-entry"},
			{"stat-at", []component.Value{noFollow, str("child/moved")}, "ok"},
			{"rename-at", []component.Value{str("child/"), self, str("renamed/")}, "ok"},
			{"rename-at", []component.Value{str("b.txt"), child, str("moved")}, "ok"},
			{"stat-at", []component.Value{noFollow, str("renamed/moved")}, "ok"},
		},
		"a hard link is made": {
			{"link-at", []component.Value{noFollow, str("."), self, str("x")}, "not-permitted"},
			{"link-at", []component.Value{noFollow, str("child"), self, str("x")}, "not-permitted"},
			{"link-at", []component.Value{noFollow, str("child/"), self, str("x")}, "not-permitted"},
			{"link-at", []component.Value{noFollow, str("a.txt/"), self, str("x")}, "not-directory"},
			{"link-at", []component.Value{noFollow, str(""), self, str("x")}, "no-entry"},
			{"link-at", []component.Value{noFollow, str("a.txt"), self, str("")}, "no-entry"},
			{"link-at", []component.Value{noFollow, str("a.txt"), self, str("x/")}, "no-entry"},
			{"link-at", []component.Value{noFollow, str("a.txt"), self, str("b.txt")}, "exist"},
			{"link-at", []component.Value{noFollow, str("a.txt"), self, str("/")}, "not-permitted"},
			{"link-at", []component.Value{noFollow, str("a.txt"), self, str("..")}, "not-permitted"},
			{"link-at", []component.Value{noFollow, str("parent/secret"), self, str("x")}, "not-permitted"},
			{"link-at", []component.Value{noFollow, str("a.txt"), self, str("parent/x")}, "not-permitted"},
			{"link-at", []component.Value{follow, str("a.txt"), self, str("x")}, "invalid"},
			{"link-at", []component.Value{noFollow, str("a.txt"), child, str("../x")}, "not-permitted"},
			{"link-at", []component.Value{noFollow, str("a.txt"), child, str("x")}, "ok"},
			{"link-at", []component.Value{noFollow, str("parent"), self, str("linked")}, "ok"},
			{"readlink-at", []component.Value{str("linked")}, "ok"},
		},
		"a symbolic link is made and read": {
			{"symlink-at", []component.Value{str("/etc/passwd"), str("x")}, "not-permitted"},
			{"symlink-at", []component.Value{str("x"), str("../y")}, "not-permitted"},
			{"symlink-at", []component.Value{str("x"), str("parent/y")}, "not-permitted"},
			{"symlink-at", []component.Value{str("x"), str("a.txt")}, "exist"},
			{"symlink-at", []component.Value{str("x"), str("a.txt/")}, "not-directory"},
			{"symlink-at", []component.Value{str("x"), str("child/")}, "exist"},
			{"symlink-at", []component.Value{str("x"), str("y/")}, "no-entry"},
			{"symlink-at", []component.Value{str(""), str("y")}, "no-entry"},
			{"symlink-at", []component.Value{str("loop"), str("loop")}, "ok"},
			{"symlink-at", []component.Value{str("../a.txt"), str("child/up")}, "ok"},
			{"stat-at", []component.Value{noFollow, str("loop")}, "ok"},
			{"stat-at", []component.Value{follow, str("loop")}, "loop"},
			{"stat-at", []component.Value{noFollow, str("loop/")}, "loop"},
			{"stat-at", []component.Value{follow, str("child/up")}, "ok"},
			{"stat-at", []component.Value{noFollow, str("child/up/")}, "not-directory"},
			{"readlink-at", []component.Value{str("child/up")}, "ok"},
			{"readlink-at", []component.Value{str("a.txt")}, "invalid"},
			{"readlink-at", []component.Value{str("missing")}, "no-entry"},
			{"readlink-at", []component.Value{str("absolute")}, "not-permitted"},
			{"readlink-at", []component.Value{str("nowhere")}, "illegal-byte-sequence"},
			{"stat-at", []component.Value{follow, str("absolute")}, "not-permitted"},
		},
		"nothing outside is looked at": {
			{"stat-at", []component.Value{follow, str("")}, "no-entry"},
			{"stat-at", []component.Value{follow, str("..")}, "not-permitted"},
			{"stat-at", []component.Value{follow, str("parent")}, "not-permitted"},
			{"stat-at", []component.Value{noFollow, str("parent")}, "ok"},
			{"stat-at", []component.Value{follow, str("parent/secret")}, "not-permitted"},
			{"stat-at", []component.Value{follow, str("child/../parent/root/a.txt")}, "not-permitted"},
			{"stat-at", []component.Value{follow, str("/")}, "not-permitted"},
			{"metadata-hash-at", []component.Value{follow, str("/")}, "not-permitted"},
			{"metadata-hash-at", []component.Value{follow, str("")}, "no-entry"},
			{"set-times-at", []component.Value{follow, str("parent"), abi.Enum(setNow), abi.Enum(setNow)}, "not-permitted"},
			{"set-times-at", []component.Value{noFollow, str("../secret"), abi.Enum(setNow), abi.Enum(setNow)}, "not-permitted"},
			{"set-times-at", []component.Value{noFollow, str("parent"), abi.Enum(setNow), abi.Enum(setNow)}, "ok"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuest(t, false)
			for name, target := range map[string]string{"absolute": "/etc/passwd", "nowhere": "\xff"} {
				if err := os.Symlink(target, filepath.Join(g.host, name)); err != nil {
					t.Fatal(err)
				}
			}
			sub := g.mustOpen("child", "rd")
			for _, s := range steps {
				args := []component.Value{g.root}
				for _, a := range s.args {
					switch a.String() {
					case self.String():
						a = g.root
					case child.String():
						a = sub
					}
					args = append(args, a)
				}
				if _, got := g.try(s.method, args...); got != s.want {
					var shown []string
					for _, a := range s.args {
						shown = append(shown, strings.ToValidUTF8(a.String(), "?"))
					}
					t.Errorf("%s %.60q: %s, want %s", s.method, shown, got, s.want)
				}
			}
			if b, err := os.ReadFile(filepath.Join(g.host, "..", "secret")); err != nil || string(b) != "secret" {
				t.Errorf("the secret is %q, %v", b, err)
			}
			if list, _ := os.ReadDir(filepath.Dir(g.host)); len(list) != 2 {
				t.Errorf("something was left outside: %v", list)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	for name, c := range map[string]struct {
		path, flags string
		want        string
		descriptor  descriptorFlags
	}{
		"what is asked for by default is to read": {"a.txt", "", "ok", flagRead},
		"a file to read":                                    {"a.txt", "r", "ok", flagRead},
		"a file to write":                                   {"a.txt", "w", "ok", flagWrite},
		"a file to read and write":                          {"a.txt", "rw", "ok", flagRead | flagWrite},
		"a file that has no entries to change":              {"a.txt", "rwm", "ok", flagRead | flagWrite},
		"what is created is written":                        {"new", "c", "ok", flagRead | flagWrite},
		"what is created to read is written":                {"new", "crx", "ok", flagRead | flagWrite},
		"what is created to write is not read":              {"new", "cwx", "ok", flagWrite},
		"what is truncated is written":                      {"a.txt", "rt", "ok", flagRead | flagWrite},
		"every write to disk":                               {"a.txt", "ws", "ok", flagWrite | flagFileIntegritySync},
		"exclusive without create means nothing":            {"a.txt", "x", "ok", flagRead},
		"what exists is not created exclusively":            {"a.txt", "cx", "exist", 0},
		"a directory":                                       {"child", "", "ok", flagRead},
		"a directory by a slash":                            {"child/", "r", "ok", flagRead},
		"a directory to change":                             {"child", "drm", "ok", flagRead | flagMutateDirectory},
		"the directory itself":                              {".", "r", "ok", flagRead},
		"a directory is not written":                        {"child", "w", "is-directory", 0},
		"a directory is not created so":                     {"new", "cd", "invalid", 0},
		"a directory is not truncated":                      {"child", "dt", "invalid", 0},
		"a directory is not created by a slash":             {"new/", "c", "is-directory", 0},
		"a file is no directory":                            {"a.txt", "d", "not-directory", 0},
		"a file is none by a slash either":                  {"a.txt/", "r", "not-directory", 0},
		"what is not there":                                 {"missing", "r", "no-entry", 0},
		"a path in what is not there":                       {"missing/x", "rc", "no-entry", 0},
		"nothing":                                           {"", "r", "no-entry", 0},
		"an absolute path":                                  {"/a.txt", "r", "not-permitted", 0},
		"what is above":                                     {"..", "r", "not-permitted", 0},
		"what is above, by way of a directory":              {"child/../..", "r", "not-permitted", 0},
		"what is above, by a link":                          {"parent", "rf", "not-permitted", 0},
		"what is above, through a link":                     {"parent/secret", "r", "not-permitted", 0},
		"a link itself cannot be opened":                    {"parent", "r", "loop", 0},
		"a named pipe":                                      {"pipe", "r", "access", 0},
		"a named pipe that nobody reads":                    {"pipe", "w", "access", 0},
		"a socket":                                          {"socket", "rw", "access", 0},
		"a directory by way of another":                     {"child/..", "r", "ok", flagRead},
		"a file is created at the end of a link":            {"dangling", "cf", "ok", flagRead | flagWrite},
		"a file is not created at a link it may not follow": {"dangling", "c", "loop", 0},
		"nor exclusively":                                   {"dangling", "cxf", "exist", 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuest(t, false)
			if err := syscall.Mkfifo(filepath.Join(g.host, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.path == "socket" {
				listener, err := net.Listen("unix", filepath.Join(g.host, "socket"))
				if err != nil {
					t.Skip(err)
				}
				defer listener.Close()
			}
			if err := os.Symlink("child/target", filepath.Join(g.host, "dangling")); err != nil {
				t.Fatal(err)
			}
			d, got := g.open(g.root, c.path, c.flags)
			if got != c.want {
				t.Fatalf("open %s: %s, want %s", c.path, got, c.want)
			}
			if got != "ok" {
				if n := len(g.Guest.open); n != 0 {
					t.Errorf("%d files are open", n)
				}
				return
			}
			if flags := descriptorFlags(g.do("get-flags", d).Flags()); flags != c.descriptor {
				t.Errorf("flags: %b, want %b", flags, c.descriptor)
			}
			g.drop(d)
		})
	}
}

func TestADescriptorConfines(t *testing.T) {
	g := newGuest(t, false)
	d := g.mustOpen("child", "d")
	if err := os.Symlink("../a.txt", filepath.Join(g.host, "child", "up")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"c.txt": "ok", "./c.txt": "ok", "../a.txt": "not-permitted", "up": "not-permitted"} {
		if _, got := g.open(d, path, "rf"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	// It remains the same directory wherever that goes.
	g.do("rename-at", g.root, str("child"), g.root, str("elsewhere"))
	if _, got := g.open(d, "c.txt", "r"); got != "ok" {
		t.Errorf("after it was renamed: %s", got)
	}
	if _, got := g.open(g.mustOpen("a.txt", "r"), "c.txt", "r"); got != "not-directory" {
		t.Errorf("below a file: %s", got)
	}
}

func TestReadOnly(t *testing.T) {
	g := newGuest(t, true)
	if f := descriptorFlags(g.do("get-flags", g.root).Flags()); f != flagRead {
		t.Errorf("flags of the preopen: %b", f)
	}
	for _, flags := range []string{"w", "c", "t", "m", "cx"} {
		if _, got := g.open(g.root, "a.txt", flags); got != "read-only" {
			t.Errorf("open with %s: %s", flags, got)
		}
	}
	file, sub := g.mustOpen("a.txt", "r"), g.mustOpen("child", "d")
	now := abi.Enum(setNow)
	for name, args := range map[string][]component.Value{
		"create-directory-at": {sub, str("x")},
		"remove-directory-at": {g.root, str("child")},
		"unlink-file-at":      {g.root, str("a.txt")},
		"rename-at":           {g.root, str("a.txt"), sub, str("x")},
		"link-at":             {g.root, noFollow, str("a.txt"), sub, str("x")},
		"symlink-at":          {sub, str("x"), str("y")},
		"set-times-at":        {g.root, follow, str("a.txt"), now, now},
		"set-times":           {file, now, now},
		"set-size":            {file, num(0)},
		"write":               {file, abi.Bytes([]byte("x")), num(0)},
		"write-via-stream":    {file, num(0)},
		"append-via-stream":   {file},
	} {
		if _, got := g.try(name, args...); got != "read-only" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
