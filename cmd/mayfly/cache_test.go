package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

// userCache gives the test a user's cache directory, and returns it.
func userCache(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	if got, err := os.UserCacheDir(); err != nil || got != dir {
		t.Skipf("on this system it is %q, %v", got, err)
	}
	return dir
}

// entries are the directories of compiled code in a cache.
func entries(t *testing.T, cache string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(cache, "mayfly/compiled/*/*/manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func hello(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hello.wasm")
	if err := os.WriteFile(file, guests.Wasm("hello-cmd"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// runs runs a module, and returns what it said.
func runs(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := execute(t.Context(), append([]string{"run"}, args...), strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	return stdout.String() + stderr.String()
}

func TestWhatWasCompiledIsKeptForTheNextTime(t *testing.T) {
	cache, file := userCache(t), hello(t)
	without := runs(t, file, "--no-cache")
	if kept := entries(t, cache); len(kept) != 0 {
		t.Fatalf("--no-cache keeps %v", kept)
	}
	for range 3 {
		if got := runs(t, file); got != without {
			t.Errorf("%q, and without a cache %q", got, without)
		}
		if kept := entries(t, cache); len(kept) != 1 {
			t.Fatalf("kept: %v", kept)
		}
	}
}

func TestCodeThatIsBrokenIsMadeAgain(t *testing.T) {
	cache, file := userCache(t), hello(t)
	want := runs(t, file)
	dir := filepath.Dir(entries(t, cache)[0])
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 {
			continue
		}
		broken := bytes.Clone(b)
		broken[len(b)/2] ^= 4
		// Not in its place: it may be mapped.
		if err := os.WriteFile(path+".new", broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		if got := runs(t, file); got != want {
			t.Errorf("%s: %q", f.Name(), got)
		}
		if now, err := os.ReadFile(path); err != nil || bytes.Equal(now, broken) {
			t.Errorf("%s is broken still: %v", f.Name(), err)
		}
	}
}

func TestAnUnusableCacheIsNoError(t *testing.T) {
	file := hello(t)
	want := runs(t, file, "--no-cache")
	cache := userCache(t)
	if err := os.WriteFile(filepath.Join(cache, "mayfly"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := runs(t, file); got != want {
		t.Errorf("%q", got)
	}
}

func TestACacheThatCannotBeTidiedIsNoError(t *testing.T) {
	cache, file := userCache(t), hello(t)
	want := runs(t, file)
	// What keeps others out while room is made is a file; root could write one in a directory that forbids it.
	evict := filepath.Join(cache, "mayfly/compiled/evict")
	if err := os.Remove(evict); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(evict, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := runs(t, file); got != want {
		t.Errorf("%q", got)
	}
	if os.Geteuid() == 0 {
		return // nothing is forbidden to it
	}
	if err := os.Chmod(filepath.Dir(evict), 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Dir(evict), 0o700)
	if got := runs(t, file); got != want {
		t.Errorf("%q", got)
	}
}

func TestManyWhoRunTheSameCompileItOnce(t *testing.T) {
	cache, file := userCache(t), hello(t)
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() { runs(t, file) })
	}
	wait.Wait()
	if kept := entries(t, cache); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
}

func TestWhatCannotBeCompiledIsRefusedInTheSameWords(t *testing.T) {
	userCache(t)
	file := filepath.Join(t.TempDir(), "bad.wasm")
	if err := os.WriteFile(file, guests.Wasm("unknown-import"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, args := range [][]string{{"run", file}, {"run", file, "--no-cache"}} {
		var stdout, stderr bytes.Buffer
		if code := execute(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != 1 {
			t.Errorf("exit code %d", code)
		}
		said[stderr.String()] = true
	}
	if len(said) != 1 {
		t.Errorf("%v", said)
	}
}

func TestWhatCannotHaveASnapshotIsNotCompiledAgain(t *testing.T) {
	userCache(t)
	file := hello(t)
	t.Setenv("MAYFLY_SNAPSHOT", "init")
	t.Setenv("MAYFLY_LOG_LEVEL", "debug")
	said := map[string]bool{}
	for _, args := range [][]string{{"run", file}, {"run", file}, {"run", file, "--no-cache"}} {
		var stdout, stderr bytes.Buffer
		if code := execute(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != 1 {
			t.Errorf("exit code %d", code)
		}
		said[stderr.String()] = true
	}
	if len(said) != 1 { // another has a line about code that cannot be used
		t.Errorf("%v", said)
	}
}
