// Package describe reads the outside of a WebAssembly binary: what a core module imports
// and exports, its memories, which core modules a component has, and what its makers
// wrote into it.
//
// What a component imports and exports takes its types to tell: package component does.
//
// It is for people who look at a file, and so it tells what it can of a binary
// that could not run. It validates nothing and must not be used to decide what
// runs: loading it decides that.
package describe

import (
	"errors"
	"fmt"
	"slices"
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
	Imports   []Extern   `json:"imports"`             // of a module
	Exports   []Extern   `json:"exports"`             // of a module
	Memories  []Memory   `json:"memories,omitempty"`  // of a module: its own and imported ones
	Functions int        `json:"functions,omitempty"` // defined in the module
	Modules   []Module   `json:"modules,omitempty"`   // core modules in a component, and in components in it
	Producers []Producer `json:"producers,omitempty"` // of a component, those of its modules too
	Customs   []Custom   `json:"customSections,omitempty"`
}

// Module is a core module in a component.
type Module struct {
	Name string `json:"name,omitempty"` // as its name section has it
	Size int    `json:"size"`
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

// headerSize is the size of the magic number and the version.
const headerSize = 8

// maxItems bounds each list of a Summary; a binary that has more is not one a
// person reads about.
const maxItems = 100_000

// maxProducers bounds the producers: a tool chain has some dozens of parts.
const maxProducers = 100

// Read describes a binary. Where one breaks off or makes no sense it returns what
// it found so far, and an error that says where.
func Read(wasm []byte) (Summary, error) {
	if len(wasm) < headerSize || string(wasm[:4]) != "\x00asm" {
		return Summary{}, ErrNotWasm
	}
	layer := uint16(wasm[6]) | uint16(wasm[7])<<8
	switch layer {
	case 0:
		m := &module{s: Summary{Kind: KindModule, Imports: []Extern{}, Exports: []Extern{}}}
		err := sections(wasm, m.section)
		return m.s, err
	case 1:
		c := &component{s: Summary{Kind: KindComponent, Imports: []Extern{}, Exports: []Extern{}}}
		err := sections(wasm, c.section)
		return c.s, err
	}
	return Summary{}, fmt.Errorf("%w of a kind that is known: its header says %d", ErrNotWasm, layer)
}

// sections calls f with each section's content.
func sections(wasm []byte, f func(id byte, r *reader) error) error {
	r := &reader{p: wasm, at: headerSize}
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
	if name == "producers" {
		s.producers(r)
	}
	return nil
}

// producers reads a producers section. What it says again is left out.
func (s *Summary) producers(r *reader) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		field := r.name()
		for m := r.count(); m > 0 && r.err == nil && len(s.Producers) < maxProducers; m-- {
			p := Producer{Field: field, Name: r.name(), Version: r.name()}
			if r.err == nil && !slices.Contains(s.Producers, p) {
				s.Producers = append(s.Producers, p)
			}
		}
	}
	r.err = nil // custom sections are free: a broken one breaks nothing
}
