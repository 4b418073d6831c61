package filesystem

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

func TestMain(m *testing.M) { leak.Main(m) }

// guest is one with a directory that has a.txt ("content a"), b.txt, child/c.txt, and parent, a link to what is above.
type guest struct {
	*testing.T
	*Guest
	host string
	root component.Value // its one preopen
}

func newGuest(t *testing.T, readOnly bool) *guest {
	t.Helper()
	host := filepath.Join(t.TempDir(), "root")
	for name, content := range map[string]string{"a.txt": "content a", "b.txt": "content b", "child/c.txt": "content c", "../secret": "secret"} {
		name = filepath.Join(host, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("..", filepath.Join(host, "parent")); err != nil {
		t.Fatal(err)
	}
	files, err := guestfs.OpenDirs([]guestfs.Mount{{Host: host, Guest: "/data", ReadOnly: readOnly}})
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{T: t, Guest: NewGuest(files), host: host}
	list := g.directories().List()
	if len(list) != 1 || list[0].Field(1).String() != "/data" {
		t.Fatalf("preopens: %v", list)
	}
	g.root = list[0].Field(0)
	t.Cleanup(func() {
		g.Close()
		if n := len(g.Guest.open); n != 0 {
			t.Errorf("%d files are left open", n)
		}
		_ = files.Close()
	})
	return g
}

// codeNames are the cases of error-code.
var codeNames = strings.Fields(`access would-block already bad-descriptor busy deadlock quota exist file-too-large illegal-byte-sequence
	in-progress interrupted invalid io is-directory loop too-many-links message-size name-too-long no-device no-entry no-lock
	insufficient-memory insufficient-space not-directory not-empty not-recoverable unsupported no-tty no-such-device overflow
	not-permitted pipe read-only invalid-seek text-file-busy cross-device`)

// try calls a method of a descriptor and returns its payload and "ok", or its error-code.
func (g *guest) try(name string, args ...component.Value) (component.Value, string) {
	g.Helper()
	if name == "sync" || name == "sync-data" {
		f := map[string]component.HostFunc{"sync": method(sync), "sync-data": method(syncData)}[name]
		return g.outcome(f(nil, args)) // without the turn, which only a running guest has
	}
	f := Package().Interfaces["types"].Funcs["[method]descriptor."+name]
	if f == nil {
		g.Fatalf("there is no %s", name)
	}
	return g.outcome(f(nil, args))
}

func (g *guest) outcome(v component.Value, err error) (component.Value, string) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
	payload, ok := v.OK()
	if !ok {
		return component.Value{}, codeNames[payload.Case()]
	}
	return payload, "ok"
}

// do calls a method that must not fail.
func (g *guest) do(name string, args ...component.Value) component.Value {
	g.Helper()
	v, outcome := g.try(name, args...)
	if outcome != "ok" {
		g.Fatalf("%s: %s", name, outcome)
	}
	return v
}

// open opens a file or directory; flags are letters: r, w, m for mutate-directory; c, d, x, t for open-flags; f to follow links.
func (g *guest) open(dir component.Value, path, flags string) (component.Value, string) {
	g.Helper()
	var how, access, follow uint64
	for _, c := range flags {
		switch c {
		case 'r':
			access |= uint64(flagRead)
		case 'w':
			access |= uint64(flagWrite)
		case 'm':
			access |= uint64(flagMutateDirectory)
		case 's':
			access |= uint64(flagFileIntegritySync)
		case 'c':
			how |= openCreate
		case 'd':
			how |= openDirectory
		case 'x':
			how |= openExclusive
		case 't':
			how |= openTruncate
		case 'f':
			follow |= symlinkFollow
		}
	}
	return g.try("open-at", dir, abi.Flags(follow), str(path), abi.Flags(how), abi.Flags(access))
}

func (g *guest) mustOpen(path, flags string) component.Value {
	g.Helper()
	v, outcome := g.open(g.root, path, flags)
	if outcome != "ok" {
		g.Fatalf("open %s: %s", path, outcome)
	}
	return v
}

func (g *guest) drop(v component.Value) {
	kind := "descriptor"
	if _, ok := v.Resource().(*entries); ok {
		kind = "directory-entry-stream"
	}
	Package().Interfaces["types"].Drop[kind](v.Resource())
}

// content is what is in a file of the host's.
func (g *guest) content(name string) string {
	g.Helper()
	b, err := os.ReadFile(filepath.Join(g.host, name))
	if err != nil {
		g.Fatal(err)
	}
	return string(b)
}

func str(s string) component.Value { return abi.String(s) }
func num(n uint64) component.Value { return abi.U64(n) }

var (
	noFollow = abi.Flags(0)
	follow   = abi.Flags(symlinkFollow)
)
