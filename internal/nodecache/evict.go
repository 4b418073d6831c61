package nodecache

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// goneInfix is in the names of what is being removed.
const goneInfix = ".gone-"

// block is what a file is taken to occupy the disk in units of.
const block = 4096

// found is an entry as Evict sees it.
type found struct {
	build, name string
	old         bool // of another build than this program's
	used        time.Time
	size        int64
}

// Evict removes entries until all are no larger than limit, in bytes: those of other builds first, then those that were not used for
// longest, and none that is open. What makers left that died goes too. One process at a time does it; another's call returns at once.
func (c *Cache) Evict(limit int64) error {
	lock, err := c.lockFile("evict")
	if lock == nil {
		return err
	}
	defer lock.Close()
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return fmt.Errorf("make room in the cache of compiled code: %w", err)
	}
	defer root.Close()
	all, err := c.survey(root)
	slices.SortFunc(all, func(a, b found) int {
		if a.old != b.old {
			return cmp.Compare(flag(b.old), flag(a.old))
		}
		return a.used.Compare(b.used)
	})
	var total int64
	for _, f := range all {
		total += f.size
	}
	for _, f := range all {
		if total <= limit {
			break
		}
		gone, removeErr := removeUnused(root, f)
		err = errors.Join(err, removeErr)
		if gone {
			total -= f.size
		}
	}
	c.removeEmptyBuilds(root)
	if err != nil {
		return fmt.Errorf("make room in the cache of compiled code: %w", err)
	}
	return nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// survey lists all entries, and removes what nobody works on any more.
func (c *Cache) survey(root *os.Root) ([]found, error) {
	builds, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var all []found
	for _, d := range builds {
		if !isDigest(d.Name()) {
			continue
		}
		b, err := openBuild(root, d.Name())
		if err != nil {
			continue // not as we make them: none of its entries is ever used
		}
		all = append(all, c.surveyBuild(b, d.Name())...)
		b.Close()
	}
	return all, nil
}

func (c *Cache) surveyBuild(b *os.Root, build string) []found {
	names, err := fs.ReadDir(b.FS(), ".")
	if err != nil {
		return nil // it is being removed
	}
	var all []found
	for _, d := range names {
		name := d.Name()
		digest, rest, _ := strings.Cut(name, ".")
		switch {
		case !isDigest(digest):
		case rest == "":
			info, err := d.Info()
			if err == nil {
				all = append(all, found{build: build, name: name, old: build != c.build, used: info.ModTime(), size: size(b, name)})
			}
		case "."+rest == draftSuffix, strings.HasPrefix("."+rest, goneInfix):
			_, _ = removeUnusedIn(b, name)
		}
	}
	return all
}

func isDigest(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == len(Digest{}) && hex.EncodeToString(b) == name
}

// size is about what an entry occupies.
func size(b *os.Root, name string) int64 {
	total := int64(block)
	files, _ := fs.ReadDir(b.FS(), name)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			total += (info.Size() + block - 1) / block * block
		}
	}
	return total
}

func removeUnused(root *os.Root, f found) (bool, error) {
	b, err := openBuild(root, f.build)
	if err != nil {
		return false, nil // gone, with its build
	}
	defer b.Close()
	return removeUnusedIn(b, f.name)
}

// removeUnusedIn removes a directory if nobody has it locked, and reports whether it did.
func removeUnusedIn(b *os.Root, name string) (bool, error) {
	d, err := openDir(b, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errMoved):
		return false, nil
	case errors.Is(err, errForeign):
		return true, b.RemoveAll(name)
	case err != nil:
		return false, err
	}
	defer d.Close()
	locked, err := tryLock(d, unix.LOCK_EX)
	if !locked || !isAt(b, name, d) {
		return false, err
	}
	return true, remove(b, name)
}

// remove takes a name away before the contents: what is under the name of an entry is whole.
func remove(b *os.Root, name string) error {
	digest, _, _ := strings.Cut(name, ".")
	gone := fmt.Sprintf("%s%s%x", digest, goneInfix, rand.Uint64())
	if err := b.Rename(name, gone); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return b.RemoveAll(gone)
}

// removeEmptyBuilds removes the directories of other builds that have no entries left. Who just opened one finds it gone and makes it again.
func (c *Cache) removeEmptyBuilds(root *os.Root) {
	builds, _ := fs.ReadDir(root.FS(), ".")
	for _, d := range builds {
		if isDigest(d.Name()) && d.Name() != c.build && d.IsDir() {
			_ = root.Remove(d.Name()) // it fails unless it is empty
		}
	}
}
