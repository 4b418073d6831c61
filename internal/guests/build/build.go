// Package build builds the components that are too large to be committed, from
// the examples they are, and keeps them in the user's cache directory. What it
// built is found again as long as no source and no pinned tool has changed.
//
// Tests take components from package guests, which calls this one.
package build

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

// A recipe is an example whose "make module OUT=DIR" builds components.
type recipe struct {
	dir     string   // of the example, in the repository
	modules []string // what it leaves in DIR
	needs   []toolchain.Need
	fromGo  bool // the Go toolchain is one of its tools
}

var recipes = []recipe{
	{dir: "examples/time/javascript", modules: []string{"time.wasm", "handler.wasm"}, needs: []toolchain.Need{toolchain.NodeJS}},
	{dir: "examples/time/python", modules: []string{"time.wasm"}, needs: []toolchain.Need{toolchain.Python}},
	{dir: "examples/time/go-component", modules: []string{"time.wasm"}, needs: []toolchain.Need{toolchain.NodeJS}, fromGo: true},
}

// shared is what recipes use besides their own directory.
const shared = "examples/wit"

// components are the names of what the recipes build.
var components = map[string]struct {
	recipe int
	module string
}{
	"time-javascript":         {0, "time.wasm"},
	"time-javascript-handler": {0, "handler.wasm"},
	"time-python":             {1, "time.wasm"},
	"time-go":                 {2, "time.wasm"},
}

// ErrUnknown is in the error for a name that no recipe builds.
var ErrUnknown = errors.New("no such component")

// Names returns the names of all components there are recipes for, sorted.
func Names() []string {
	var names []string
	for name := range components {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Find returns the file of a component that was built already, and whether it
// was.
func Find(name string) (file string, ok bool) {
	c, known := components[name]
	if !known {
		return "", false
	}
	entry, err := recipes[c.recipe].entry()
	if err != nil {
		return "", false
	}
	cache, err := toolchain.CacheDir()
	if err != nil {
		return "", false
	}
	file = filepath.Join(cache, entry, c.module)
	_, err = os.Stat(file)
	return file, err == nil
}

// Component returns the file of a component, which it builds when nobody has:
// that takes a minute, the network, and what the recipe needs of the machine;
// the error says how to get it.
func Component(name string) (file string, err error) {
	c, known := components[name]
	if !known {
		return "", fmt.Errorf("build component %q: %w: there are %s", name, ErrUnknown, strings.Join(Names(), ", "))
	}
	if file, ok := Find(name); ok {
		return file, nil
	}
	r := recipes[c.recipe]
	entry, err := r.entry()
	if err != nil {
		return "", fmt.Errorf("build component %s: %w", name, err)
	}
	dir, err := toolchain.Entry(entry, r.build)
	if err != nil {
		return "", fmt.Errorf("build component %s: %w", name, err)
	}
	return filepath.Join(dir, c.module), nil
}

// build makes a copy of the sources and calls make there, so that it neither
// finds nor leaves anything in the repository.
func (r recipe) build(out string) error {
	if err := toolchain.Provide(r.needs...); err != nil {
		return err
	}
	root, err := Root()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mayfly-guest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	files, err := r.sources(root)
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		to := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return err
		}
	}
	if err := (toolchain.Env{}).Run(filepath.Join(work, r.dir), "make", "module", "OUT="+out); err != nil {
		return err
	}
	for _, m := range r.modules {
		if _, err := os.Stat(filepath.Join(out, m)); err != nil {
			return fmt.Errorf("make module has left no %s: %w", m, err)
		}
	}
	return nil
}

// entry is the name of the recipe's cache entry: it tells sources and tools.
func (r recipe) entry() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	files, err := r.sources(root)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(name), len(text), text)
	}
	if r.fromGo {
		fmt.Fprint(sum, runtime.Version()) // the other tools' versions are in lock files
	}
	return "guest-time-" + filepath.Base(r.dir) + "-" + hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// sources lists what a build depends on, sorted: the files of the example and
// of what is shared, not what tools left there and not what only people read.
func (r recipe) sources(root string) ([]string, error) {
	var files []string
	for _, dir := range []string{r.dir, shared} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := entry.Name()
			if entry.IsDir() {
				if slices.Contains([]string{"node_modules", "venv", "target", "__pycache__"}, name) {
					return filepath.SkipDir
				}
				return nil
			}
			if slices.Contains([]string{".wasm", ".tar", ".yaml"}, filepath.Ext(name)) || name == "README.md" {
				return nil
			}
			relative, err := filepath.Rel(root, path)
			files = append(files, relative)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	return files, nil
}

// Root is the directory of the repository, found upwards from the working
// directory: a test runs in that of its package.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/mayfly-run/mayfly\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find the sources of the guests: the working directory is not in a clone of mayfly")
		}
		dir = parent
	}
}
