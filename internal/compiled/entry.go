package compiled

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// Entry is a directory of which the manifest has been read. Its files have been verified by whoever put it where it is.
type Entry struct {
	dir    string
	origin Origin
	files  map[string]*file
}

// Open reads the manifest of an entry. A directory of which there is a descriptor is "/proc/self/fd/N". An error wraps ErrInvalid, unless the
// directory cannot be read.
func Open(dir string) (*Entry, error) {
	m, err := read(dir)
	if err != nil {
		return nil, err
	}
	e := &Entry{dir: dir, origin: m.Origin, files: make(map[string]*file, len(m.Files))}
	for i := range m.Files {
		e.files[m.Files[i].Name] = &m.Files[i]
	}
	return e, nil
}

// Origin says what the entry was made of.
func (e *Entry) Origin() Origin { return e.origin }

// File opens a file of the entry for reading. It has the size that it had when it was written; an error wraps ErrInvalid where it has not, or
// where there is none of that name.
func (e *Entry) File(name string) (*os.File, error) {
	f := e.files[name]
	if f == nil {
		return nil, invalid("it has no %s", name)
	}
	return f.open(e.dir)
}

// Read reads a file of the entry whole, and checks that it is what was written. The error wraps ErrInvalid where it is not.
func (e *Entry) Read(name string) ([]byte, error) {
	f, err := e.File(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	want := e.files[name]
	b := make([]byte, want.Size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want.SHA256 {
		return nil, invalid("%s is not what was written", name)
	}
	return b, nil
}
