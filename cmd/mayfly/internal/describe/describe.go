// Package describe reads the outside of a WebAssembly binary: what it imports and
// exports, its memories, and what its makers wrote into it.
//
// It is for people who look at a file, and so it tells what it can of a binary
// that could not run. It validates nothing and must not be used to decide what
// runs: loading a module decides that.
package describe

import (
	"errors"
	"fmt"
)

// Kinds of binaries.
const (
	KindModule    = "core module"
	KindComponent = "component"
)

// ErrNotWasm is returned for what does not start as a WebAssembly binary does.
var ErrNotWasm = errors.New("not a WebAssembly binary")

// Summary is what shows of a binary from outside.
type Summary struct {
	Kind      string     `json:"kind"`
	Imports   []Extern   `json:"imports"`
	Exports   []Extern   `json:"exports"`
	Memories  []Memory   `json:"memories,omitempty"`  // of a module: its own and imported ones
	Functions int        `json:"functions,omitempty"` // defined in the module
	Modules   int        `json:"modules,omitempty"`   // core modules in a component
	Producers []Producer `json:"producers,omitempty"`
	Customs   []Custom   `json:"customSections,omitempty"`
}

// Extern is an import or an export.
type Extern struct {
	Module string `json:"module,omitempty"` // of a core module's imports only
	Name   string `json:"name"`
	Kind   string `json:"kind"`           // function, memory, instance, …
	Type   string `json:"type,omitempty"` // of a function: (i32, i32) -> (i32)
}

// Memory is a memory's bounds, in pages of 64 KiB.
type Memory struct {
	Min      uint64  `json:"minPages"`
	Max      *uint64 `json:"maxPages,omitempty"`
	Imported bool    `json:"imported,omitempty"`
	Shared   bool    `json:"shared,omitempty"`
	Wide     bool    `json:"memory64,omitempty"`
}

// Producer is an entry of the producers section, as the compiler wrote it.
type Producer struct {
	Field   string `json:"field"` // language, processed-by, sdk
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Custom is a custom section.
type Custom struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

// maxItems bounds each list of a Summary; a binary that has more is not one a
// person reads about.
const maxItems = 100_000

// Read describes a binary. Where one breaks off or makes no sense it returns what
// it found so far, and an error that says where.
func Read(wasm []byte) (Summary, error) {
	if len(wasm) < 8 || string(wasm[:4]) != "\x00asm" {
		return Summary{}, ErrNotWasm
	}
	layer := uint16(wasm[6]) | uint16(wasm[7])<<8
	switch layer {
	case 0:
		m := &module{s: Summary{Kind: KindModule, Imports: []Extern{}, Exports: []Extern{}}}
		err := sections(wasm, m.section)
		return m.s, err
	case 1:
		s := Summary{Kind: KindComponent, Imports: []Extern{}, Exports: []Extern{}}
		err := sections(wasm, func(id byte, r *reader) error { return s.componentSection(id, r) })
		return s, err
	}
	return Summary{}, fmt.Errorf("%w of a kind that is known: its header says %d", ErrNotWasm, layer)
}

// sections calls f with each section's content.
func sections(wasm []byte, f func(id byte, r *reader) error) error {
	r := &reader{p: wasm, at: 8}
	for r.left() > 0 {
		start := r.at
		id := r.byte()
		content := r.bytes(int(r.u32()))
		if r.err == nil {
			inner := &reader{p: content}
			if err := f(id, inner); err != nil {
				r.err = err
			} else if inner.err != nil {
				r.err = inner.err
			}
		}
		if r.err != nil {
			return fmt.Errorf("section %d at byte %d: %w", id, start, r.err)
		}
	}
	return nil
}

// custom notes a custom section, and reads it when it is the producers'.
func (s *Summary) custom(r *reader) error {
	name := r.name()
	if r.err != nil || len(s.Customs) >= maxItems {
		return r.err
	}
	s.Customs = append(s.Customs, Custom{Name: name, Size: r.left()})
	if name != "producers" {
		return nil
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		field := r.name()
		for m := r.count(); m > 0 && r.err == nil && len(s.Producers) < maxItems; m-- {
			s.Producers = append(s.Producers, Producer{Field: field, Name: r.name(), Version: r.name()})
		}
	}
	r.err = nil // custom sections are free: a broken one breaks nothing
	return nil
}
