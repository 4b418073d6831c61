package main

import (
	"embed"
	"encoding/binary"
	"io/fs"
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

const preamble = "\x00asm\x0d\x00\x01\x00"

//go:embed testdata/components/*.wasm
var testdata embed.FS

// components are the files of testdata/components.
func components(t *testing.T) fs.FS {
	t.Helper()
	sub, err := fs.Sub(testdata, "testdata/components")
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// broken are components that no tool makes, and files whose names lie.
func broken(t *testing.T) map[string][]byte {
	t.Helper()
	command, err := fs.ReadFile(components(t), "command.wasm")
	if err != nil {
		t.Fatal(err)
	}
	hello := guests.Wasm("hello-cmd")
	return map[string][]byte{
		"core-named.component": hello,
		"component-named.core": command,
		"core-as-component":    append([]byte(preamble), hello[len(preamble):]...),
		"component-as-core":    append(slices.Clone(hello[:len(preamble)]), command[len(preamble):]...),
		"cut-short":            command[:len(command)-20],
		"nested":               nested(10_000),
		"long-section":         []byte(preamble + "\x01\xff\xff\xff\xff\x0f\x00"),
		"long-module":          []byte(preamble + "\x01\x7f\x00asm\x01\x00\x00\x00"),
		"long-vector":          []byte(preamble + "\x07\x05\xff\xff\xff\xff\x0f"),
		"long-name":            []byte(preamble + "\x0a\x08\x01\x00\xff\xff\xff\xff\x0f\x00"),
		"cyclic-alias":         []byte(preamble + "\x06\x06\x01\x05\x00\x00\x01a"), // instance 0 is what instance 0 exports as "a"
		"cyclic-type":          []byte(preamble + "\x07\x03\x01\x70\x00"),          // type 0 is a list of type 0
		"cyclic-instance":      []byte(preamble + "\x05\x08\x01\x01\x01\x00\x01a\x05\x00"),
		"outer-alias":          []byte(preamble + "\x06\x06\x01\x03\x02\xff\x01\x00"), // type 0 of the component 255 levels up
	}
}

// nested is components in one another.
func nested(depth int) []byte {
	sizes := []int{len(preamble)} // from the inside out
	for i := range depth {
		sizes = append(sizes, len(preamble)+len(section(sizes[i]))+sizes[i])
	}
	wasm := []byte(preamble)
	for _, size := range slices.Backward(sizes[:depth]) {
		wasm = append(append(wasm, section(size)...), preamble...)
	}
	return wasm
}

// section is the head of a section that holds a component.
func section(size int) []byte { return binary.AppendUvarint([]byte{4}, uint64(size)) }
