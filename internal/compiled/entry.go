package compiled

import "os"

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
