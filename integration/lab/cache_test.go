package lab

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func newCache(t *testing.T) *Cache {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	c, err := OpenCache(NewProgress(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEntryIsFilledOnceByWhoeverIsFirst(t *testing.T) {
	c := newCache(t)
	var fills atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			dir, err := c.Entry("thing-1", func(dir string) error {
				fills.Add(1)
				return os.WriteFile(filepath.Join(dir, "file"), []byte("whole"), 0o644)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := os.ReadFile(filepath.Join(dir, "file")); string(text) != "whole" {
				t.Errorf("got %q, %v", text, err)
			}
		})
	}
	wg.Wait()
	if n := fills.Load(); n != 1 {
		t.Errorf("filled %d times", n)
	}
}

func TestEntryThatFailedIsNotThere(t *testing.T) {
	c := newCache(t)
	broken := errors.New("no compiler")
	_, err := c.Entry("thing-1", func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("half"), 0o644); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(c.Dir, "thing-1*")); len(left) != 1 || filepath.Ext(left[0]) != ".lock" {
		t.Errorf("left behind: %v", left)
	}
	if _, err := c.Entry("thing-1", func(string) error { return nil }); err != nil {
		t.Errorf("the next try: %v", err)
	}
}
