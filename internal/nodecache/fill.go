package nodecache

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// draftSuffix is that of an entry that is being made.
const draftSuffix = ".new"

// Work is what the maker of an entry is given.
type Work struct {
	// Dir is an empty directory for the entry's files. There may be no directories among them.
	Dir string
	// Slot is a number below that of processors, which no other maker on the machine has.
	Slot int
}

// Fill returns the entry for digest, and calls fill to make it if there is none. Of several processes that want one, one makes it
// and the others wait; there are as many makers at once, of different entries, as processors. It fails as fill does, or when ctx ends.
func (c *Cache) Fill(ctx context.Context, digest Digest, fill func(context.Context, Work) error) (*Entry, error) {
	name := hex.EncodeToString(digest[:])
	var entry *Entry
	err := retry(ctx, func() (bool, error) {
		e, err := c.fillOrFind(ctx, name, fill)
		entry = e
		return e != nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("make an entry for %x: %w", digest[:6], err)
	}
	return entry, nil
}

// fillOrFind returns nil when somebody else makes the entry.
func (c *Cache) fillOrFind(ctx context.Context, name string, fill func(context.Context, Work) error) (*Entry, error) {
	if e, err := c.lookup(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		return e, err
	}
	d, err := c.claim(name)
	if d == nil || err != nil {
		return nil, err
	}
	defer d.close()
	// Whoever made the draft before may have finished between the look and the claim.
	if e, err := c.lookup(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		return e, err
	}
	if err := d.clear(); err != nil {
		return nil, err
	}
	slot, err := c.takeSlot(ctx)
	if err != nil {
		return nil, err
	}
	defer slot.file.Close()
	if err := fill(ctx, Work{Dir: filepath.Join(c.dir, c.build, d.draft), Slot: slot.number}); err != nil {
		return nil, err
	}
	return d.publish(ctx, c)
}

// draft is an entry that this process makes.
type draft struct {
	build *os.Root
	name  string
	draft string   // its name until it is published
	dir   *os.File // locked, alone
}

// claim makes a draft, or takes over one whose maker died. It returns nil when somebody else works on it.
func (c *Cache) claim(name string) (*draft, error) {
	b, err := c.makeBuild()
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errMoved):
		return nil, nil // it was empty and of another build, for somebody
	case err != nil:
		return nil, err
	}
	d := &draft{build: b, name: name, draft: name + draftSuffix}
	if ok, err := d.lock(); !ok || err != nil {
		b.Close()
		return nil, err
	}
	return d, nil
}

func (d *draft) lock() (bool, error) {
	switch err := d.build.Mkdir(d.draft, 0o700); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil && !errors.Is(err, fs.ErrExist):
		return false, err
	}
	dir, err := openDir(d.build, d.draft)
	switch {
	case errors.Is(err, errMoved), errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, errForeign):
		return false, d.build.RemoveAll(d.draft)
	case err != nil:
		return false, err
	}
	locked, err := tryLock(dir, unix.LOCK_EX)
	if !locked || !isAt(d.build, d.draft, dir) {
		dir.Close()
		return false, err
	}
	d.dir = dir
	return true, nil
}

// clear removes what another maker left.
func (d *draft) clear() error {
	names, err := d.dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := d.build.RemoveAll(filepath.Join(d.draft, n)); err != nil {
			return err
		}
	}
	return nil
}

// publish gives a draft that was filled the name of an entry.
func (d *draft) publish(ctx context.Context, c *Cache) (*Entry, error) {
	if err := d.seal(); err != nil {
		return nil, err
	}
	if err := d.build.Rename(d.draft, d.name); err != nil {
		return nil, err
	}
	// It is visible from here on. Who waited to make it may have the lock for a moment, to see that.
	err := retry(ctx, func() (bool, error) { return tryLock(d.dir, unix.LOCK_SH) })
	if err != nil || !isAt(d.build, d.name, d.dir) {
		return nil, err // removed already: look again
	}
	e := &Entry{cache: c, name: d.name, dir: d.dir}
	d.dir = nil // it is the entry's
	return e, nil
}

// seal makes everything readable by who has a descriptor, and changeable by nobody.
func (d *draft) seal() error {
	files, err := fs.ReadDir(d.build.FS(), d.draft)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !f.Type().IsRegular() {
			return fmt.Errorf("%q is no regular file", f.Name())
		}
		if err := d.build.Chmod(filepath.Join(d.draft, f.Name()), 0o444); err != nil {
			return err
		}
	}
	return d.dir.Chmod(0o755)
}

// close removes the draft unless it was published.
func (d *draft) close() {
	if d.dir != nil {
		if isAt(d.build, d.draft, d.dir) {
			_ = d.build.RemoveAll(d.draft)
		}
		d.dir.Close()
	}
	d.build.Close()
}
