package nodecache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) {
	if play := os.Getenv(playVariable); play != "" {
		os.Exit(parts[play](os.Args[1:]))
	}
	leak.Main(m)
}

var (
	build  = sha256.Sum256([]byte("a build"))
	digest = sha256.Sum256([]byte("a module"))
)

func open(t *testing.T) *Cache {
	t.Helper()
	c, err := Open(filepath.Join(t.TempDir(), "cache"), build)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write is a maker.
func write(text string) func(context.Context, Work) error {
	return func(_ context.Context, w Work) error {
		return os.WriteFile(filepath.Join(w.Dir, "code"), []byte(text), 0o600)
	}
}

// fill makes an entry and closes it.
func fill(t *testing.T, c *Cache, d Digest, text string) {
	t.Helper()
	e, err := c.Fill(t.Context(), d, write(text))
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
}

func contents(t *testing.T, e *Entry) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(e.Path(), "code"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// names lists what is in the build's directory.
func names(t *testing.T, c *Cache) []string {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(c.dir, c.build))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		all = append(all, f.Name())
	}
	return all
}

func entryPath(c *Cache, d Digest) string {
	return filepath.Join(c.dir, c.build, hex.EncodeToString(d[:]))
}

func TestWhatWasMadeIsFound(t *testing.T) {
	c := open(t)
	if _, err := c.Lookup(t.Context(), digest); !errors.Is(err, ErrNone) {
		t.Fatalf("in an empty cache: %v", err)
	}
	e, err := c.Fill(t.Context(), digest, write("text"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	again, err := c.Lookup(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if contents(t, again) != "text" {
		t.Error("it is another")
	}
	if st, err := os.Stat(filepath.Join(e.Path(), "code")); err != nil || st.Mode() != 0o444 {
		t.Errorf("%v, %v", st, err)
	}
	third, err := c.Fill(t.Context(), digest, func(context.Context, Work) error { return errors.New("made twice") })
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
	other, err := Open(c.dir, sha256.Sum256(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Lookup(t.Context(), digest); !errors.Is(err, ErrNone) {
		t.Errorf("another build has it: %v", err)
	}
}

func TestAMakerThatFailsLeavesNothing(t *testing.T) {
	wrong := errors.New("no")
	for name, fill := range map[string]func(Work) error{
		"it says so":            func(w Work) error { os.WriteFile(filepath.Join(w.Dir, "half"), nil, 0o600); return wrong },
		"it makes a directory":  func(w Work) error { return os.Mkdir(filepath.Join(w.Dir, "sub"), 0o700) },
		"it makes a link":       func(w Work) error { return os.Symlink("/etc/passwd", filepath.Join(w.Dir, "link")) },
		"it makes a pipe":       func(w Work) error { return syscall.Mkfifo(filepath.Join(w.Dir, "pipe"), 0o600) },
		"its directory is gone": func(w Work) error { return os.Remove(w.Dir) },
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			if _, err := c.Fill(t.Context(), digest, func(_ context.Context, w Work) error { return fill(w) }); err == nil {
				t.Error("it is taken")
			}
			if left := names(t, c); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestADirectoryThatIsNotOursAloneIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "shared")
	if err := errors.Join(os.Mkdir(shared, 0o700), os.Chmod(shared, 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), shared} {
		if _, err := Open(dir, build); err == nil {
			t.Errorf("%s is taken", dir)
		}
	}
}

func TestWhatIsInTheWayOfAnEntryIsRemovedAndNotFollowed(t *testing.T) {
	outside := t.TempDir()
	precious := filepath.Join(outside, "code")
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(path string) error{
		"a link to a directory":        func(p string) error { return os.Symlink(outside, p) },
		"a link to nothing":            func(p string) error { return os.Symlink("nothing", p) },
		"a file":                       func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"a pipe":                       func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"a directory that all write":   func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chmod(p, 0o777)) },
		"an entry that is another's":   func(p string) error { return errors.Join(os.Mkdir(p, 0o755), chown(p)) },
		"a link to another entry, too": func(p string) error { return os.Symlink(filepath.Base(p)[1:], p) },
	} {
		for _, suffix := range []string{"", draftSuffix} {
			t.Run(name+suffix, func(t *testing.T) {
				c := open(t)
				fill(t, c, sha256.Sum256(nil), "of another")
				if err := put(entryPath(c, digest) + suffix); err != nil {
					t.Skip(err)
				}
				e, err := c.Fill(t.Context(), digest, write("text"))
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				if contents(t, e) != "text" {
					t.Error("it is another")
				}
				if all := names(t, c); len(all) != 2 {
					t.Errorf("left: %v", all)
				}
			})
		}
	}
	if b, err := os.ReadFile(precious); string(b) != "precious" {
		t.Errorf("a link was followed: %q, %v", b, err)
	}
}

// chown gives a file to somebody else, which only root can.
func chown(path string) error { return os.Chown(path, 12345, 12345) }

func TestABuildThatIsALinkIsAnError(t *testing.T) {
	c := open(t)
	if err := os.Symlink(t.TempDir(), filepath.Join(c.dir, c.build)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Fill(t.Context(), digest, write("text")); !errors.Is(err, errForeign) {
		t.Errorf("got %v", err)
	}
	if err := c.Evict(0); err != nil {
		t.Error(err)
	}
}

func TestABrokenEntryIsDiscardedAlsoWhenOthersHaveIt(t *testing.T) {
	c := open(t)
	fill(t, c, digest, "broken")
	held, err := c.Lookup(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	e, err := c.Lookup(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Discard(); err != nil {
		t.Fatal(err)
	}
	fill(t, c, digest, "whole")
	// It was discarded already, and what has its name now is good.
	if err := held.Discard(); err != nil {
		t.Error(err)
	}
	e, err = c.Lookup(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if contents(t, e) != "whole" || len(names(t, c)) != 1 {
		t.Errorf("%q, %v", contents(t, e), names(t, c))
	}
}

func TestTheWaitForAnotherMakerEndsWithTheContext(t *testing.T) {
	c := open(t)
	e, err := c.Fill(t.Context(), digest, func(context.Context, Work) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := c.Fill(ctx, digest, write("text")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
}

func TestTheWaitForASlotEnds(t *testing.T) {
	c := open(t)
	for range runtime.NumCPU() {
		s, err := c.takeSlot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.file.Close()
	}
	synctest.Test(t, func(t *testing.T) { // else it would be a long test
		if _, err := c.Fill(t.Context(), digest, write("text")); !errors.Is(err, errBusy) {
			t.Errorf("got %v", err)
		}
	})
	if left := names(t, c); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestErrorsSayWhatWasDone(t *testing.T) {
	_, err := open(t).Lookup(t.Context(), digest)
	if err == nil || !strings.Contains(err.Error(), hex.EncodeToString(digest[:6])) {
		t.Errorf("got %v", err)
	}
}
