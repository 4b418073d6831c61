package guests

import (
	"embed"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests/build"
)

//go:embed components/*.wasm
var components embed.FS

// committed are the examples' components that are small enough to be committed
// beside their sources.
var committed = map[string]string{
	"time-c":    "examples/time/c-component/time.wasm",
	"time-rust": "examples/time/rust-component/time.wasm",
}

// Component returns the component called name, of Components. What is not
// committed is built when nobody has built it yet, which takes a minute and the
// network: a test that runs with "go test ./..." asks Built first. It fails the
// test when it cannot be built, and says what is missing.
func Component(tb testing.TB, name string) []byte {
	tb.Helper()
	if wasm, ok := Built(name); ok {
		return wasm
	}
	file, err := build.Component(name)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		tb.Fatalf("read component %s: %v", name, err)
	}
	return wasm
}

// Built returns the component called name when it is committed, or was built
// already: "make guests" builds all of them.
func Built(name string) (wasm []byte, ok bool) {
	if wasm, err := components.ReadFile("components/" + name + ".wasm"); err == nil {
		return wasm, true
	}
	file, ok := build.Find(name)
	if example := committed[name]; example != "" {
		root, err := build.Root()
		if err != nil {
			return nil, false
		}
		file, ok = filepath.Join(root, example), true
	}
	if !ok {
		return nil, false
	}
	wasm, err := os.ReadFile(file)
	return wasm, err == nil
}

// Components returns the names of all components, sorted.
func Components() []string {
	entries, err := components.ReadDir("components")
	if err != nil {
		panic(err) // the directory is embedded
	}
	names := build.Names()
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".wasm"))
	}
	for name := range committed {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
