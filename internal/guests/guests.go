// Package guests holds the test guests: one tiny WebAssembly module for each
// behaviour, its source beside it in testdata. The name of a guest is the
// behaviour; README.md has the table.
//
// It is for tests and benchmarks only. Nothing that ships imports it: it would
// carry every module in its binary.
package guests

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed testdata/*.wasm
var modules embed.FS

// Wasm returns the module of the guest called name: Wasm("echo"). Each call
// returns a copy of its own. It panics when there is no such guest, which only
// a test with a wrong name can bring about.
func Wasm(name string) []byte {
	wasm, err := modules.ReadFile("testdata/" + name + ".wasm")
	if err != nil {
		panic(fmt.Sprintf("guests: there is no guest %q: see internal/guests/README.md", name))
	}
	return wasm
}

// Names returns the names of all guests, sorted, the bad modules among them.
func Names() []string {
	entries, err := modules.ReadDir("testdata")
	if err != nil {
		panic(err) // the directory is embedded
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".wasm")
	}
	slices.Sort(names) // the directory is sorted with the suffix on
	return names
}
