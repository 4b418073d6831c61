package ociimage

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Tree is the root file system an image will have: files by their path in the
// container. All files belong to root and are as old as the epoch, so that
// neither who packed them nor when shows in the digest.
type Tree struct {
	entries map[string]entry // by path without the leading slash
}

// entry is one file; data or host, never both, is its content.
type entry struct {
	kind byte // a tar type flag
	mode int64
	data []byte
	host string
	size int64
	link string
}

// AddBytes puts a file with the given content at path guest.
func (t *Tree) AddBytes(guest string, data []byte, mode fs.FileMode) error {
	return t.add(guest, entry{kind: tar.TypeReg, mode: tarMode(mode), data: data, size: int64(len(data))})
}

// Add puts the host's file or directory, with all that is in it, at path guest.
// Symbolic links below a directory are kept as links; sockets, pipes and
// devices are left out, as they mean nothing on another machine.
func (t *Tree) Add(guest, host string) error {
	info, err := os.Stat(host) // a link given by name means what it points to
	if err != nil {
		return fmt.Errorf("add to the image: %w", err)
	}
	if !info.IsDir() {
		return t.addHost(guest, host, info)
	}
	if host, err = filepath.EvalSymlinks(host); err != nil {
		return fmt.Errorf("add to the image: %w", err)
	}
	return filepath.WalkDir(host, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("add to the image: %w", err)
		}
		rel, err := filepath.Rel(host, p)
		if err != nil {
			return err
		}
		if rel == "." {
			if clean(guest) == "" {
				return nil // the root itself needs no entry
			}
			return t.addHost(guest, p, info)
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("add to the image: %w", err)
		}
		return t.addHost(path.Join(guest, filepath.ToSlash(rel)), p, info)
	})
}

func (t *Tree) addHost(guest, host string, info fs.FileInfo) error {
	e := entry{mode: tarMode(info.Mode()), host: host}
	switch info.Mode().Type() {
	case 0:
		e.kind, e.size = tar.TypeReg, info.Size()
	case fs.ModeDir:
		e.kind = tar.TypeDir
	case fs.ModeSymlink:
		target, err := os.Readlink(host)
		if err != nil {
			return fmt.Errorf("add to the image: %w", err)
		}
		e.kind, e.link, e.mode = tar.TypeSymlink, filepath.ToSlash(target), 0o777
	default:
		return nil
	}
	return t.add(guest, e)
}

func (t *Tree) add(guest string, e entry) error {
	p := clean(guest)
	if p == "" {
		return fmt.Errorf("add to the image: %q is no path for a file: use one like /data/config.json", guest)
	}
	if strings.HasPrefix(path.Base(p), whiteoutPrefix) {
		return fmt.Errorf("add to the image: %s: names that start with %s mean deletion in an image: rename the file", guest, whiteoutPrefix)
	}
	if old, ok := t.entries[p]; ok && (old.kind == tar.TypeDir) != (e.kind == tar.TypeDir) {
		return fmt.Errorf("add to the image: %s: there is a file and a directory of that name: rename one", guest)
	}
	if t.entries == nil {
		t.entries = map[string]entry{}
	}
	t.entries[p] = e
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if parent, ok := t.entries[dir]; !ok {
			t.entries[dir] = entry{kind: tar.TypeDir, mode: 0o755}
		} else if parent.kind != tar.TypeDir {
			return fmt.Errorf("add to the image: %s: /%s is a file, not a directory", guest, dir)
		}
	}
	return nil
}

// layer packs the tree as an uncompressed tar, sorted by path.
func (t *Tree) layer() (*blob, error) {
	var segments []segment
	for _, p := range slices.Sorted(maps.Keys(t.entries)) {
		e := t.entries[p]
		header, err := e.header(p)
		if err != nil {
			return nil, fmt.Errorf("add %s to the image: %w", p, err)
		}
		segments = append(segments, bytesSegment(header))
		if e.size == 0 {
			continue
		}
		segments = append(segments, segment{data: e.data, path: e.host, size: e.size})
		if pad := -e.size & 511; pad != 0 {
			segments = append(segments, bytesSegment(make([]byte, pad)))
		}
	}
	return newBlob(append(segments, bytesSegment(make([]byte, 1024)))...)
}

// header is the tar header of e as bytes: a tar.Writer of its own, so that the
// content may follow from elsewhere and later.
func (e entry) header(p string) ([]byte, error) {
	if e.kind == tar.TypeDir {
		p += "/"
	}
	var buf bytes.Buffer
	err := tar.NewWriter(&buf).WriteHeader(&tar.Header{
		Typeflag: e.kind,
		Name:     p,
		Linkname: e.link,
		Size:     e.size,
		Mode:     e.mode,
		ModTime:  time.Unix(0, 0),
	})
	return buf.Bytes(), err
}

// clean is guest as a path in a layer: relative, slashes, no dots.
func clean(guest string) string { return strings.TrimPrefix(path.Clean("/"+guest), "/") }

// tarMode is m as tar has it. Setuid and the like stay: an ordinary Linux image
// may need them, and what a container may gain by them the runtime decides.
func tarMode(m fs.FileMode) int64 {
	mode := int64(m.Perm())
	for _, b := range []struct {
		bit fs.FileMode
		tar int64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.bit != 0 {
			mode |= b.tar
		}
	}
	return mode
}
