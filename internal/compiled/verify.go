package compiled

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Verify reads a whole directory and checks that it is an entry: that the manifest lists each file in it and nothing else, and that the files
// are what was sealed. module is the sha256 of the file that it has to be made of. An error wraps ErrInvalid, unless the directory cannot be read.
//
// It tells what the entry is now: whoever could write to it then must not be able to any more.
func Verify(dir string, module [32]byte) error {
	m, err := read(dir)
	if err != nil {
		return err
	}
	if m.Origin.Module != hex.EncodeToString(module[:]) {
		return invalid("it is of another module, %s", m.Origin.Module)
	}
	names, err := list(dir)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(names, m.Files, func(name string, f file) bool { return name == f.Name }) {
		return invalid("its files are not those of its %s", ManifestName)
	}
	for _, want := range m.Files {
		if err := want.verify(dir); err != nil {
			return err
		}
	}
	return nil
}

// verify reads a file.
func (f *file) verify(dir string) error {
	opened, err := f.open(dir) // of the right size, before any of it is read
	if err != nil {
		return err
	}
	opened.Close()
	have, err := sum(dir, f.Name)
	if err != nil {
		return err
	}
	if have != *f {
		return invalid("%s is not what was written", f.Name)
	}
	return nil
}

// open opens a file and checks its size.
func (f *file) open(dir string) (*os.File, error) {
	opened, size, err := open(dir, f.Name)
	if err != nil {
		return nil, err
	}
	if size != f.Size {
		opened.Close()
		return nil, invalid("%s has %d bytes, and not %d", f.Name, size, f.Size)
	}
	return opened, nil
}

// read reads the manifest of a directory.
func read(dir string) (*manifest, error) {
	f, size, err := open(dir, ManifestName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxManifest {
		return nil, invalid("%s has more than %d bytes", ManifestName, maxManifest)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, err
	}
	return parse(b)
}

// open opens a regular file of a directory, and nothing else: no link, no pipe, no device.
func open(dir, name string) (*os.File, int64, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, invalid("%s is missing", name)
	case errors.Is(err, syscall.ELOOP):
		return nil, 0, invalid("%s is a link", name)
	case errors.Is(err, syscall.ENXIO):
		return nil, 0, invalid("%s is no ordinary file", name)
	case err != nil:
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, 0, invalid("%s is no ordinary file", name)
	}
	return f, info.Size(), nil
}

// sorted puts names in order and leaves out the manifest's.
func sorted(names []string) []string {
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == ManifestName })
}
