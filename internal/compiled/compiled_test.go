package compiled

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var module = sha256.Sum256([]byte("a module"))

func origin() Origin {
	return Origin{Module: hex.EncodeToString(module[:]), Engine: "dev", Wazero: "v1.12.0", Options: "fuel"}
}

// sealed makes an entry.
func sealed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"app": "an app", "code-0": strings.Repeat("code", 1<<16), "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Seal(dir, origin()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatWasSealedIsVerifiedAndOpened(t *testing.T) {
	dir := sealed(t)
	if err := Verify(dir, module); err != nil {
		t.Error(err)
	}
	e, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if e.Origin() != origin() {
		t.Errorf("origin %+v", e.Origin())
	}
	f, err := e.File("app")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "an app" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := e.Read("app"); err != nil || string(b) != "an app" {
		t.Errorf("%q, %v", b, err)
	}
	if err := flip(filepath.Join(dir, "app"), 2); err != nil {
		t.Fatal(err)
	}
	if b, err := e.Read("app"); !errors.Is(err, ErrInvalid) {
		t.Errorf("a bit is another: %q, %v", b, err)
	}
	if _, err := e.File("other"); !errors.Is(err, ErrInvalid) {
		t.Errorf("a file that is not listed: %v", err)
	}
	if err := Seal(dir, origin()); err == nil {
		t.Error("sealed twice")
	}
}

func TestAnythingElseIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string) error
		opens  bool // it is seen by who reads all of it only
	}{
		{"a file is missing", func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, "app")) }, true},
		{"a file is shorter", func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, "code-0"), 100) }, true},
		{"a file is longer", func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, "empty"), 1) }, true},
		{"a bit is another", func(t *testing.T, dir string) error { return flip(filepath.Join(dir, "code-0"), 70_000) }, true},
		{"there is one file more", func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, "more"), nil, 0o644)
		}, true},
		{"there is a hidden file", func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, ".more"), nil, 0o644)
		}, true},
		{"there is a directory", func(_ *testing.T, dir string) error { return os.Mkdir(filepath.Join(dir, "sub"), 0o755) }, true},
		{"a file is a directory", func(_ *testing.T, dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "app")), os.Mkdir(filepath.Join(dir, "app"), 0o755))
		}, true},
		{"a file is a link to what it was", func(_ *testing.T, dir string) error {
			return errors.Join(os.Rename(filepath.Join(dir, "app"), filepath.Join(dir, "../app")),
				os.Symlink("../app", filepath.Join(dir, "app")))
		}, true},
		{"a file is a pipe", func(_ *testing.T, dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "empty")), syscall.Mkfifo(filepath.Join(dir, "empty"), 0o644))
		}, true},
		{"a file is a socket", func(_ *testing.T, dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "empty")), syscall.Mknod(filepath.Join(dir, "empty"), syscall.S_IFSOCK|0o644, 0))
		}, true},
		{"two files are swapped", func(_ *testing.T, dir string) error {
			return errors.Join(os.Rename(filepath.Join(dir, "app"), filepath.Join(dir, "x")),
				os.Rename(filepath.Join(dir, "code-0"), filepath.Join(dir, "app")), os.Rename(filepath.Join(dir, "x"), filepath.Join(dir, "code-0")))
		}, true},
		{"the manifest is missing", func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, ManifestName)) }, false},
		{"the manifest is cut", func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, ManifestName), 200) }, false},
		{"the manifest is empty", func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, ManifestName), 0) }, false},
		{"the manifest is huge", func(_ *testing.T, dir string) error {
			return os.Truncate(filepath.Join(dir, ManifestName), maxManifest+1)
		}, false},
		{"the manifest is a link", func(_ *testing.T, dir string) error {
			return errors.Join(os.Rename(filepath.Join(dir, ManifestName), filepath.Join(dir, "../m")),
				os.Symlink("../m", filepath.Join(dir, ManifestName)))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "entry")
			if err := os.CopyFS(dir, os.DirFS(sealed(t))); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, ManifestName), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := c.change(t, dir); err != nil {
				t.Fatal(err)
			}
			if err := Verify(dir, module); !errors.Is(err, ErrInvalid) {
				t.Errorf("verified: %v", err)
			}
			if _, err := Open(dir); c.opens != (err == nil) || err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("opened: %v", err)
			}
		})
	}
}

func TestTheEntryOfAnotherModuleIsRefused(t *testing.T) {
	if err := Verify(sealed(t), sha256.Sum256([]byte("another"))); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestAManifestWithABitChangedIsRefusedOrSaysTheSame(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(sealed(t), ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	want, err := parse(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			have, err := parse(b)
			if err != nil || have.Origin != want.Origin || !slices.Equal(have.Files, want.Files) {
				continue // refused, or another origin or other files, which is seen when they are compared
			}
			if was := good[i]; bit != 5 && was != ' ' && was != '\t' && was != '\n' { // capitals, another kind of space
				t.Errorf("byte %d, %q, may be %q", i, good[i], b[i])
			}
		}
	}
}

func flip(path string, at int) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[at] ^= 1
	return os.WriteFile(path, b, 0o644)
}

func TestWhatNoManifestSays(t *testing.T) {
	digest := hex.EncodeToString(module[:])
	list := func(files string) string {
		return `{"format":1,"origin":{"module":"` + digest + `","engine":"","wazero":"","options":""},"files":[` + files + `]}`
	}
	one := func(name string) string { return `{"name":"` + name + `","size":1,"sha256":"` + digest + `"}` }
	if _, err := parse([]byte(list(one("a") + "," + one("b.c-d")))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":                      "",
		"no object":                    "[]",
		"two of them":                  list("") + list(""),
		"another format":               strings.Replace(list(""), `"format":1`, `"format":2`, 1),
		"a field nobody knows":         strings.Replace(list(""), `"engine"`, `"motor"`, 1),
		"no digest of the module":      strings.Replace(list(""), digest, "", 1),
		"a digest in capitals":         strings.Replace(list(one("a")), digest, strings.ToUpper(digest), 1),
		"a path":                       list(one("a/b")),
		"the directory above":          list(one("..")),
		"an empty name":                list(one("")),
		"a hidden file":                list(one(".a")),
		"the manifest itself":          list(one(ManifestName)),
		"a name with a zero byte":      list(one(`a\u0000`)),
		"a long name":                  list(one(strings.Repeat("a", maxName+1))),
		"a name twice":                 list(one("a") + "," + one("a")),
		"names out of order":           list(one("b") + "," + one("a")),
		"a negative size":              list(strings.Replace(one("a"), `:1`, `:-1`, 1)),
		"a file that is too large":     list(strings.Replace(one("a"), `:1`, `:1073741825`, 1)),
		"a size that is no number":     list(strings.Replace(one("a"), `:1`, `:1e99`, 1)),
		"files too large all together": list(strings.ReplaceAll(one("a")+","+one("b")+","+one("c"), `:1`, `:1073741824`)),
		"a long text":                  strings.Replace(list(""), `"wazero":"`, `"wazero":"`+strings.Repeat("x", maxText+1), 1),
		"deep nesting":                 strings.Repeat("[", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := parse([]byte(text)); !errors.Is(err, ErrInvalid) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"origin":{"module":"` + hex.EncodeToString(module[:]) + `","engine":"dev","wazero":"v1","options":""},"files":[]}`))
	f.Add([]byte(`{"files":[{"name":"a","size":1,"sha256":""}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		for _, file := range m.Files {
			if filepath.Base(file.Name) != file.Name || !filepath.IsLocal(file.Name) {
				t.Errorf("%q leaves the directory", file.Name)
			}
		}
	})
}
