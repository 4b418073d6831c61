package component

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLink reads and links whatever it is given: nothing that is called a component may do more than be refused.
func FuzzLink(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("seeds: %v, %v", seeds, err)
	}
	for _, s := range seeds {
		wasm, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wasm)
	}
	h, err := NewHost(Package{
		WIT: "package test:host@0.1.0; interface log { line: func(text: string) -> u32; }",
		Interfaces: map[string]Interface{"log": {Funcs: map[string]HostFunc{
			"line": func(*Call, []Value) (Value, error) { return Value{}, nil },
		}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		d, err := Read(wasm)
		if err != nil {
			return
		}
		_ = h.Check(d)
		p, err := link(d.binary, h)
		if err != nil {
			return
		}
		if len(p.instances) > maxInstances {
			t.Errorf("%d instances", len(p.instances))
		}
	})
}
