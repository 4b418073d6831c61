package nodecache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// buildFile remembers a build in the cache's directory: a line that says which file was hashed, and its hash.
const buildFile = "build"

// maxBuildFile is more than such a line has, in bytes.
const maxBuildFile = 1 << 10

// OpenFor is Open for the build that is in a file: its sha256. The file is hashed once, and then known by what the kernel says of it: who can
// replace it without changing that can change the cache as well.
func OpenFor(dir string, program *os.File) (*Cache, error) {
	c, err := Open(dir, Digest{})
	if err != nil {
		return nil, err
	}
	build, err := c.hashProgram(program)
	if err != nil {
		return nil, fmt.Errorf("open the cache of compiled code: hash %s: %w", program.Name(), err)
	}
	c.build = hex.EncodeToString(build[:])
	return c, nil
}

func (c *Cache) hashProgram(program *os.File) (Digest, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return Digest{}, err
	}
	defer root.Close()
	st, err := program.Stat()
	if err != nil {
		return Digest{}, err
	}
	key := identity(st)
	if build, ok := recall(root, key); ok {
		return build, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(program, 0, st.Size())); err != nil {
		return Digest{}, err
	}
	build := Digest(h.Sum(nil))
	c.remember(key + hex.EncodeToString(build[:]))
	return build, nil
}

// identity is another for a file that was changed.
func identity(st os.FileInfo) string {
	sys := st.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d:%d:%d:%s ", sys.Dev, sys.Ino, st.Size(), st.ModTime().UnixNano(), changed(sys))
}

func recall(root *os.Root, key string) (build Digest, ok bool) {
	f, err := root.OpenFile(buildFile, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return build, false
	}
	defer f.Close()
	known, err := io.ReadAll(io.LimitReader(f, maxBuildFile))
	text, found := strings.CutPrefix(string(known), key)
	if err != nil || !found || len(text) != hex.EncodedLen(len(build)) {
		return build, false
	}
	_, err = hex.Decode(build[:], []byte(text))
	return build, err == nil
}

// remember replaces the file. That it fails costs the next one the time for a hash.
func (c *Cache) remember(text string) {
	f, err := os.CreateTemp(c.dir, buildFile+"-")
	if err != nil {
		return
	}
	_, err = f.WriteString(text)
	if f.Close() != nil || err != nil || os.Rename(f.Name(), c.dir+"/"+buildFile) != nil {
		_ = os.Remove(f.Name())
	}
}
