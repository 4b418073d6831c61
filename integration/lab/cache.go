package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Cache keeps what takes long to build, one directory per thing and version. A
// directory that stands under its final name is complete: it is filled under
// another name and renamed, so a run that was interrupted leaves nothing that
// a later one would use.
type Cache struct {
	Dir      string
	Progress *Progress
}

// OpenCache opens the cache in the user's cache directory, which honours
// XDG_CACHE_HOME, so that a fresh clone finds what an earlier one built.
func OpenCache(p *Progress) (*Cache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache directory: %w; set HOME or XDG_CACHE_HOME", err)
	}
	dir := filepath.Join(base, "mayfly")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache directory: %w", err)
	}
	return &Cache{Dir: dir, Progress: p}, nil
}

// Entry returns the directory of name, which fill makes when it is not there.
// Two runs that want the same entry do not build it twice: the second waits.
func (c *Cache) Entry(name string, fill func(dir string) error) (string, error) {
	final := filepath.Join(c.Dir, name)
	if exists(final) {
		return final, nil
	}
	unlock, err := lock(final + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(final) {
		return final, nil
	}
	half, err := os.MkdirTemp(c.Dir, name+".half-")
	if err != nil {
		return "", fmt.Errorf("make cache entry %s: %w", name, err)
	}
	defer os.RemoveAll(half)
	if err := os.Chmod(half, 0o755); err != nil {
		return "", fmt.Errorf("make cache entry %s: %w", name, err)
	}
	if err := fill(half); err != nil {
		return "", fmt.Errorf("make cache entry %s: %w", name, err)
	}
	if err := os.Rename(half, final); err != nil {
		return "", fmt.Errorf("make cache entry %s: %w", name, err)
	}
	return final, nil
}

// lock waits for the lock file path, which stays: removing it would let two
// runs hold locks on two files of one name.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock the cache: %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
