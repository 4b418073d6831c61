package nodecache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Digest names what is cached.
type Digest = [sha256.Size]byte

// Cache is the part of the directory that is for one build of the program. It holds no descriptors.
type Cache struct {
	dir   string
	build string
}

// Open returns the cache in dir, which is made if it is not there.
func Open(dir string, build Digest) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the cache of compiled code: %w", err)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open the cache of compiled code: %w", err)
	}
	if !owned(st) {
		return nil, fmt.Errorf("open the cache of compiled code: %s is not a directory that only user %d can write to: remove it, or name another", dir, os.Geteuid())
	}
	return &Cache{dir: dir, build: hex.EncodeToString(build[:])}, nil
}

// owned reports whether it is a directory that only this process's user can change.
func owned(st fs.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && st.IsDir() && int(sys.Uid) == os.Geteuid() && st.Mode()&0o022 == 0
}

// openBuild opens the build's directory. It returns an error wrapping fs.ErrNotExist when there is none.
func (c *Cache) openBuild() (*os.Root, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openBuild(root, c.build)
}

// makeBuild is openBuild, and makes the directory. That it does not exist is an error of somebody who removed it just then only.
func (c *Cache) makeBuild() (*os.Root, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, fmt.Errorf("open the cache's directory: %v", err)
	}
	defer root.Close()
	if err := root.Mkdir(c.build, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make a directory in the cache: %v", err)
	}
	return openBuild(root, c.build)
}

func openBuild(root *os.Root, name string) (*os.Root, error) {
	d, err := openDir(root, name)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	b, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if !isAt(b, ".", d) {
		b.Close()
		return nil, errForeign
	}
	return b, nil
}

var (
	// errForeign is returned for what is not a directory of ours.
	errForeign = errors.New("not a directory that only its user can write to")
	// errMoved is returned when a name means something else than a moment ago.
	errMoved = errors.New("another process is changing it")
)

// openDir opens a directory of ours.
func openDir(parent *os.Root, name string) (*os.File, error) {
	st, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !owned(st) {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(parent.Name(), name), Err: errForeign}
	}
	d, err := parent.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	if is, err := d.Stat(); err != nil || !os.SameFile(st, is) {
		d.Close()
		return nil, errMoved
	}
	return d, nil
}

// isAt reports whether d is what name means.
func isAt(parent *os.Root, name string, d *os.File) bool {
	at, err := parent.Lstat(name)
	if err != nil {
		return false
	}
	is, err := d.Stat()
	return err == nil && os.SameFile(at, is)
}
