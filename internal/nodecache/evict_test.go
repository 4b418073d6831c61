package nodecache

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func number(n int) Digest { return sha256.Sum256(fmt.Append(nil, n)) }

// used says when an entry was used last.
func used(t *testing.T, c *Cache, d Digest, ago time.Duration) {
	t.Helper()
	at := time.Now().Add(-ago)
	if err := os.Chtimes(entryPath(c, d), at, at); err != nil {
		t.Fatal(err)
	}
}

// there lists which of the first n entries are in the cache, without using them.
func there(c *Cache, n int) string {
	var all []string
	for i := range n {
		if _, err := os.Lstat(entryPath(c, number(i))); err == nil {
			all = append(all, fmt.Sprint(i))
		}
	}
	return strings.Join(all, " ")
}

// each is what an entry of a byte occupies.
const each = 2 * block

func TestRoomIsMadeByRemovingWhatWasNotUsedForLongest(t *testing.T) {
	c := open(t)
	for i := range 5 {
		fill(t, c, number(i), "x")
		used(t, c, number(i), time.Duration(5-i)*time.Hour)
	}
	evict := func(limit int64, want string) {
		t.Helper()
		if err := c.Evict(limit); err != nil {
			t.Error(err)
		}
		if got := there(c, 5); got != want {
			t.Errorf("there are %q, want %q", got, want)
		}
	}
	evict(5*each, "0 1 2 3 4")
	e, err := c.Lookup(t.Context(), number(0)) // which notes that it is used
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	evict(4*each, "0 2 3 4")
	held, err := c.Lookup(t.Context(), number(2))
	if err != nil {
		t.Fatal(err)
	}
	used(t, c, number(2), time.Hour)
	evict(2*each, "0 2")
	evict(0, "2")
	held.Close()
	evict(0, "")
}

func TestOldBuildsGoFirst(t *testing.T) {
	c := open(t)
	older, err := Open(c.dir, sha256.Sum256([]byte("older")))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, older, number(0), "x")
	fill(t, older, number(1), "x")
	fill(t, c, number(2), "x")
	used(t, c, number(2), time.Hour)
	held, err := older.Lookup(t.Context(), number(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Evict(2 * each); err != nil {
		t.Error(err)
	}
	if there(c, 3) != "2" || there(older, 3) != "0" {
		t.Errorf("there are %q and, of the older build, %q", there(c, 3), there(older, 3))
	}
	held.Close()
	if err := c.Evict(each); err != nil {
		t.Error(err)
	}
	if builds, err := filepath.Glob(filepath.Join(c.dir, strings.Repeat("?", 64))); err != nil || len(builds) != 1 {
		t.Errorf("builds: %v, %v", builds, err)
	}
	fill(t, older, number(0), "x") // it has to make its directory again
}

func TestWhatDeadMakersLeftIsRemovedAndWhatIsNotOursIsNot(t *testing.T) {
	c := open(t)
	fill(t, c, digest, "x")
	dir := filepath.Join(c.dir, c.build)
	hex := filepath.Base(entryPath(c, digest))
	for _, name := range []string{hex + draftSuffix, hex + goneInfix + "1", "notes", hex + ".notes"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(c.dir, "notes"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.Evict(1 << 20); err != nil {
		t.Error(err)
	}
	if got, want := names(t, c), []string{hex, hex + ".notes", "notes"}; !slices.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "notes")); err != nil {
		t.Error(err)
	}
}
