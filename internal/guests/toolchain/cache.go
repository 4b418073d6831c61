package toolchain

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// CacheDir is where entries are: mayfly's directory in the user's cache
// directory, which honours XDG_CACHE_HOME.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w; set HOME or XDG_CACHE_HOME", err)
	}
	return filepath.Join(base, "mayfly"), nil
}

// Entry returns the directory of the cache entry name, which fill makes when it
// is not there. A directory under its final name is complete: it is filled
// under another name and renamed. Two processes that want the same entry do not
// make it twice: the second waits.
func Entry(name string, fill func(dir string) error) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	final := filepath.Join(cache, name)
	if exists(final) {
		return final, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	unlock, err := lock(final + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(final) {
		return final, nil
	}
	half, err := os.MkdirTemp(cache, name+".half-")
	if err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	defer os.RemoveAll(half)
	if err := fill(half); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	if err := os.Chmod(half, 0o755); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	if err := os.Rename(half, final); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	return final, nil
}

// lock waits for the lock file path, which stays: removing it would let two
// processes hold locks on two files of one name.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
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
