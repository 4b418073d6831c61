package ociimage

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// Extract unpacks the image's layers into the directory dir, which must exist
// and should be empty and nobody else's.
//
// No entry is followed out of dir: names with .. are refused, and so are names
// that lead through a symbolic link. Symbolic links are kept, rewritten to mean
// within dir what they mean within the image. Devices, pipes, owners and the
// setuid bit are left out. Each layer must have the digest that the image's
// configuration states.
func (a *Archive) Extract(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack image: %w", err)
	}
	defer root.Close()
	x := &extraction{root: root, bytes: maxExtractedBytes, files: maxExtractedFiles}
	for i, m := range a.layers {
		if err := x.verified(a.open(m), a.diffIDs[i].Hex); err != nil {
			return fmt.Errorf("unpack image: layer %d of %d: %w", i+1, len(a.layers), err)
		}
	}
	return nil
}

// extraction is one image being unpacked; bytes and files are what it may still
// use, over all layers.
type extraction struct {
	root  *os.Root
	bytes int64
	files int
}

// verified unpacks one layer, compressed or not, and compares its digest.
func (x *extraction) verified(compressed io.Reader, diffID string) error {
	r, err := decompress(compressed)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	// Beyond the files there are headers and padding; a stream that goes on
	// without adding a file has its end too.
	lr := &io.LimitedReader{R: r, N: x.bytes + int64(x.files)*2048}
	tee := io.TeeReader(lr, h)
	if err := x.layer(tar.NewReader(tee)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, tee); err != nil { // what follows the tar's end is part of the digest
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != diffID {
		return fmt.Errorf("its content has the digest sha256:%s, the image says sha256:%s: the archive is damaged, save it again", got, diffID)
	}
	return nil
}

// layer applies one layer's entries to what is there.
func (x *extraction) layer(tr *tar.Reader) error {
	added := map[string]bool{} // by this layer: an opaque whiteout spares them
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := x.spend(); err != nil {
			return err
		}
		name, err := entryName(h.Name)
		if err != nil {
			return err
		}
		if name == "." {
			continue
		}
		if err := x.parents(name); err != nil {
			return err
		}
		base, parent := path.Base(name), path.Dir(name)
		switch {
		case base == whiteoutOpaque:
			err = x.clear(parent, added)
		case strings.HasPrefix(base, whiteoutPrefix):
			hidden := strings.TrimPrefix(base, whiteoutPrefix)
			if hidden == "" || hidden == "." || hidden == ".." {
				return fmt.Errorf("%q: a whiteout of nothing", h.Name)
			}
			err = x.root.RemoveAll(path.Join(parent, hidden))
		default:
			err = x.entry(name, h, tr)
			for p := name; p != "." && !added[p]; p = path.Dir(p) {
				added[p] = true
			}
		}
		if err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

// spend counts one file or directory.
func (x *extraction) spend() error {
	if x.files--; x.files < 0 {
		return fmt.Errorf("more than %d files: too many for an image that is unpacked here", maxExtractedFiles)
	}
	return nil
}

// entryName is a path within the root, or the reason why it is none.
func entryName(s string) (string, error) {
	if len(s) > maxPathBytes {
		return "", fmt.Errorf("%.40q…: a path of %d bytes, more than %d", s, len(s), maxPathBytes)
	}
	if strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%q: a path with a zero byte", s)
	}
	parts := strings.Split(s, "/")
	if len(parts) > maxPathDepth {
		return "", fmt.Errorf("%.40q…: a path of %d directories, more than %d", s, len(parts), maxPathDepth)
	}
	for _, p := range parts {
		if p == ".." {
			return "", fmt.Errorf("%q: leads out of the image: it is damaged, or made to do harm", s)
		}
	}
	name := clean(s)
	if name == "" {
		name = "."
	}
	return name, nil
}

// parents makes the directories above name. A symbolic link among them is
// refused: image builders write the paths files really have, and whoever does
// not has something else in mind.
func (x *extraction) parents(name string) error {
	for i, c := range name {
		if c != '/' {
			continue
		}
		dir := name[:i]
		info, err := x.root.Lstat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err = x.spend(); err == nil {
				err = x.root.Mkdir(dir, 0o755)
			}
		case err == nil && info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%q: leads through the symbolic link %q: it is damaged, or made to do harm", name, dir)
		case err == nil && !info.IsDir():
			return fmt.Errorf("%q: lies below the file %q", name, dir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clear empties the directory of what lower layers left there.
func (x *extraction) clear(dir string, added map[string]bool) error {
	f, err := x.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := f.Readdirnames(-1)
	f.Close()
	if err != nil {
		return err
	}
	for _, n := range names {
		p := path.Join(dir, n)
		if !added[p] {
			err = x.root.RemoveAll(p)
		} else if info, e := x.root.Lstat(p); e == nil && info.IsDir() {
			err = x.clear(p, added)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entry puts one file there, in place of what has its name.
func (x *extraction) entry(name string, h *tar.Header, content io.Reader) error {
	old, err := x.root.Lstat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if h.Typeflag == tar.TypeDir {
		if err == nil && old.IsDir() {
			return nil
		}
	}
	if err == nil {
		if err := x.root.RemoveAll(name); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return x.root.Mkdir(name, 0o755)
	case tar.TypeReg:
		return x.regular(name, h, content)
	case tar.TypeSymlink:
		target, err := linkTarget(name, h.Linkname)
		if err != nil {
			return err
		}
		return x.root.Symlink(target, name)
	case tar.TypeLink:
		return x.hardLink(name, h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil
	}
	return fmt.Errorf("an entry of the unknown type %q", h.Typeflag)
}

func (x *extraction) regular(name string, h *tar.Header, content io.Reader) error {
	if x.bytes -= h.Size; x.bytes < 0 {
		return fmt.Errorf("the image unpacks to more than %d bytes", int64(maxExtractedBytes))
	}
	perm := fs.FileMode(h.Mode)&0o777 | 0o600 // we read it, and delete it, ourselves
	f, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (x *extraction) hardLink(name, to string) error {
	target, err := entryName(to)
	if err != nil {
		return err
	}
	if err := x.parents(target); err != nil {
		return err
	}
	info, err := x.root.Lstat(target)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("a hard link to %q, which is no file", to)
	}
	return x.root.Link(target, name)
}

// linkTarget is target, of a symbolic link at name, as a relative path that
// stays within the root. In a container / is the image's root, and .. at the root
// is the root. No directory above name is a link, so the path is all there is
// to it.
func linkTarget(name, target string) (string, error) {
	if target == "" || len(target) > maxPathBytes || strings.ContainsRune(target, 0) {
		return "", fmt.Errorf("a symbolic link to %.40q, which is no path", target)
	}
	abs := target
	if !path.IsAbs(abs) {
		abs = path.Join("/", path.Dir(name), target)
	}
	rel, err := filepath.Rel(filepath.FromSlash(path.Dir("/"+name)), filepath.FromSlash(path.Clean(abs)))
	return filepath.ToSlash(rel), err
}

// decompress is r as it was before gzip or zstd, if it was.
func decompress(r io.Reader) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	magic, _ := br.Peek(4)
	switch compressionOf(magic) {
	case "gzip":
		return gzip.NewReader(br)
	case "zstd":
		d, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindowBytes))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return io.NopCloser(br), nil
}

// compressionOf tells what a stream is compressed with by how it starts.
func compressionOf(magic []byte) string {
	switch {
	case len(magic) >= 3 && magic[0] == 0x1f && magic[1] == 0x8b && magic[2] == 8:
		return "gzip"
	case len(magic) >= 4 && magic[0] == 0x28 && magic[1] == 0xb5 && magic[2] == 0x2f && magic[3] == 0xfd:
		return "zstd"
	}
	return ""
}
