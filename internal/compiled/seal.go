package compiled

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Seal makes an entry of a directory: it writes the manifest for the files that are there. Nothing may be changed in it from then on.
func Seal(dir string, o Origin) error {
	if err := o.check(); err != nil {
		return err
	}
	m := manifest{Format: format, Origin: o}
	names, err := list(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		f, err := sum(dir, name)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
	}
	if err := m.check(); err != nil {
		return err
	}
	b, err := json.MarshalIndent(&m, "", "\t")
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, ManifestName), append(b, '\n'))
}

// write writes a new file.
func write(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// list returns the names in a directory, in order, less the manifest's.
func list(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	all, err := d.Readdirnames(maxFiles + 2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(all) > maxFiles+1 {
		return nil, invalid("there are more than %d files", maxFiles)
	}
	return sorted(all), nil
}

// sum reads a file of a directory.
func sum(dir, name string) (file, error) {
	f, size, err := open(dir, name)
	if err != nil {
		return file{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, size+1))
	if err != nil {
		return file{}, fmt.Errorf("read %s: %w", name, err)
	}
	if n != size {
		return file{}, invalid("%s changes while it is read", name)
	}
	return file{Name: name, Size: size, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
