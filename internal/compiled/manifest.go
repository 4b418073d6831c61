// Package compiled is the outside of an entry of the cache of compiled code: a directory of files, and a manifest that says which they are and
// what they were made of.
//
// Who compiles a module writes the files and then calls [Seal]. Who puts the directory into a cache calls [Verify], which reads every byte. Who
// runs the code calls [Open], which looks at what is cheap to look at, every time. What is in the files only the engine knows.
//
// The shim is root on the node and the process that compiled may have been taken over by what it compiled: nothing in a directory is believed,
// and there is only the standard library in here.
package compiled

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ManifestName is the file that is written last.
const ManifestName = "manifest.json"

// format is the version of all that this package and the engine write. Another is not read: a cache is cheap to fill again.
const format = 1

// Limits of an entry. A component has a few files for each of its core modules, of which it may have a thousand.
const (
	maxManifest = 1 << 20 // bytes
	maxFiles    = 4096
	maxFile     = 1 << 30 // bytes
	maxEntry    = 2 << 30 // bytes, of all files together
	maxName     = 64      // bytes
	maxText     = 1 << 10 // bytes of what an origin says
)

// ErrInvalid is wrapped by the errors of a directory that is no whole entry, or not the one that is wanted. It can be removed and made again.
var ErrInvalid = errors.New("no valid entry of compiled code")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// Origin says what an entry was made of. Equal origins give equal code.
type Origin struct {
	Module  string `json:"module"`  // sha256 of the file that a sidecar runs, in hexadecimal digits
	Engine  string `json:"engine"`  // which build of mayfly compiled it
	Wazero  string `json:"wazero"`  // which version of wazero it has
	Options string `json:"options"` // what else the code depends on
}

// manifest is the contents of the file of that name.
type manifest struct {
	Format int    `json:"format"`
	Origin Origin `json:"origin"`
	Files  []file `json:"files"` // in the order of their names
}

// file is one of an entry.
type file struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// parse reads a manifest and checks that it can be meant.
func parse(b []byte) (*manifest, error) {
	if len(b) > maxManifest {
		return nil, invalid("%s has more than %d bytes", ManifestName, maxManifest)
	}
	var m manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, invalid("%s: %w", ManifestName, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("%s: there is something behind its end", ManifestName)
	}
	if m.Format != format {
		return nil, invalid("%s: format %d: only %d is known", ManifestName, m.Format, format)
	}
	if err := m.Origin.check(); err != nil {
		return nil, err
	}
	return &m, m.check()
}

func (o *Origin) check() error {
	if !isDigest(o.Module) {
		return invalid("module %.80q: not a sha256", o.Module)
	}
	for _, text := range []string{o.Engine, o.Wazero, o.Options} {
		if len(text) > maxText {
			return invalid("what it was made of is described in more than %d bytes", maxText)
		}
	}
	return nil
}

// check checks the list of files.
func (m *manifest) check() error {
	if len(m.Files) > maxFiles {
		return invalid("%d files: at most %d", len(m.Files), maxFiles)
	}
	total := int64(0)
	for i, f := range m.Files {
		switch {
		case !isName(f.Name):
			return invalid("%.80q is no name of a file", f.Name)
		case i > 0 && f.Name <= m.Files[i-1].Name:
			return invalid("%s: listed in the wrong place, or twice", f.Name)
		case f.Size < 0 || f.Size > maxFile:
			return invalid("%s: %d bytes: at most %d", f.Name, f.Size, maxFile)
		case !isDigest(f.SHA256):
			return invalid("%s: %.80q is no sha256", f.Name, f.SHA256)
		}
		if total += f.Size; total > maxEntry {
			return invalid("its files have more than %d bytes together", int64(maxEntry))
		}
	}
	return nil
}

// isName reports whether a file of an entry may be called that: letters, digits and, between them, points and hyphens.
func isName(s string) bool {
	if s == "" || len(s) > maxName || s == ManifestName || strings.Trim(s, ".-") != s {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// isDigest reports whether s is a sha256 in the one way in which it is written here.
func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == s
}
