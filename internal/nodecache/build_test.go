package nodecache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAProgramIsHashedOnceAndAgainWhenItIsAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	path := filepath.Join(t.TempDir(), "program")
	buildOf := func() string {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c, err := OpenFor(dir, f)
		if err != nil {
			t.Fatal(err)
		}
		return c.build
	}
	write := func(text string) string {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o700), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	one := write("one")
	if got := buildOf(); got != one {
		t.Fatalf("got %s, want %s", got, one)
	}
	// What is remembered is believed: so it was hashed once.
	file := filepath.Join(dir, buildFile)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("ab", 32)
	if err := os.WriteFile(file, []byte(strings.Replace(string(b), one, other, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := buildOf(); got != other {
		t.Errorf("it was hashed again: %s", got)
	}
	if two := write("two"); buildOf() != two {
		t.Errorf("got %s, want %s", buildOf(), two)
	}
	for _, nonsense := range []string{"", "x", strings.Repeat("x", maxBuildFile+1), string(b) + "00", string(b[:len(b)-2]) + "xx"} {
		if err := os.WriteFile(file, []byte(nonsense), 0o600); err != nil {
			t.Fatal(err)
		}
		if want := write("two"); buildOf() != want {
			t.Errorf("%.20q: got %s", nonsense, buildOf())
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, buildFile+"-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
