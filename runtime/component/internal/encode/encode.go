// Package encode writes components, byte by byte, for tests: good ones and bad ones alike.
package encode

import (
	"bytes"
	"encoding/binary"
)

// Section ids. Component model, Binary.md.
const (
	Custom = iota
	CoreModule
	CoreInstance
	CoreType
	Nested
	Instance
	Alias
	Type
	Canon
	Start
	Import
	Export
	Values
)

// Preamble is what a component begins with.
const Preamble = "\x00asm\x0d\x00\x01\x00"

// Component is a component of some sections.
func Component(sections ...[]byte) []byte { return Cat([]byte(Preamble), Cat(sections...)) }

// Section is a section of some definitions.
func Section(id byte, definitions ...[]byte) []byte { return Raw(id, Vec(definitions...)) }

// Raw is a section of some bytes.
func Raw(id byte, b []byte) []byte { return Cat([]byte{id}, U32(len(b)), b) }

// Vec is a vector.
func Vec(items ...[]byte) []byte { return Cat(U32(len(items)), Cat(items...)) }

// U32 is a number.
func U32(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// Name is a name.
func Name(s string) []byte { return Cat(U32(len(s)), []byte(s)) }

// Cat puts pieces together.
func Cat(pieces ...[]byte) []byte { return bytes.Join(pieces, nil) }

// Bytes are bytes.
func Bytes(b ...byte) []byte { return b }

// Extern is the name of an import or export.
func Extern(name string) []byte { return Cat(Bytes(0), Name(name)) }

// Func is the type of a function.
func Func(result []byte, params ...[]byte) []byte {
	if result == nil {
		result = Bytes(1, 0)
	} else {
		result = Cat(Bytes(0), result)
	}
	return Cat(Bytes(0x40), Vec(params...), result)
}

// Field is a field or a parameter.
func Field(name string, typ ...byte) []byte { return Cat(Name(name), typ) }
