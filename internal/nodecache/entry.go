package nodecache

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNone is returned for what is not in the cache.
var ErrNone = errors.New("not in the cache of compiled code")

// lookupPatience bounds the wait for a lock that is only held for moments.
const lookupPatience = 2 * time.Second

// Entry is one of the cache's that is open, which keeps it from being removed.
type Entry struct {
	cache *Cache
	name  string
	dir   *os.File // locked, shared
}

// Path is the entry's directory.
func (e *Entry) Path() string { return filepath.Join(e.cache.dir, e.cache.build, e.name) }

// Close lets others remove the entry.
func (e *Entry) Close() error { return e.dir.Close() }

// Lookup opens an entry, and notes that it was used. It returns an error wrapping [ErrNone] when there is none.
func (c *Cache) Lookup(ctx context.Context, digest Digest) (*Entry, error) {
	e, err := c.lookup(ctx, hex.EncodeToString(digest[:]))
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("look for %x: %w", digest[:6], err)
	}
	return e, nil
}

func (c *Cache) lookup(ctx context.Context, name string) (*Entry, error) {
	b, err := c.openBuild()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, lookupPatience, errMoved)
	defer cancel()
	var dir *os.File
	err = retry(ctx, func() (bool, error) {
		d, err := openDir(b, name)
		switch {
		case errors.Is(err, errMoved):
			return false, nil
		case errors.Is(err, errForeign):
			return false, b.RemoveAll(name)
		case err != nil:
			return false, err
		}
		locked, err := tryLock(d, unix.LOCK_SH)
		if !locked || !isAt(b, name, d) {
			d.Close()
			return false, err
		}
		dir = d
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	touch(b, name)
	return &Entry{cache: c, name: name, dir: dir}, nil
}

// touch notes that an entry was used. That it fails where nothing can be written does no harm.
func touch(b *os.Root, name string) {
	now := time.Now()
	_ = b.Chtimes(name, now, now)
}

// Discard closes an entry and takes it out of the cache: it is not what it should be. Who has it open keeps what it has of it.
func (e *Entry) Discard() error {
	defer e.Close()
	b, err := e.cache.openBuild()
	if err != nil {
		return err
	}
	defer b.Close()
	if !isAt(b, e.name, e.dir) {
		return nil // somebody else has done it
	}
	return remove(b, e.name)
}

// Dir is the entry's directory, open for reading. It is the entry's: closed with it, and it has the lock, so who is handed a copy can let go of
// that.
func (e *Entry) Dir() *os.File { return e.dir }
