//go:build linux

package lab

import (
	"encoding/binary"
	"strings"
)

// Sections of a component (Component Model, Binary.md, "Component Definitions").
const (
	preamble = "\x00asm\x0d\x00\x01\x00"

	coreModuleSection = 1
	componentSection  = 4
	aliasSection      = 6
	typeSection       = 7
)

// section is one of a component.
func section(id byte, content string) string {
	return string(binary.AppendUvarint([]byte{id}, uint64(len(content)))) + content
}

// nested is a component in a component, and so on.
func nested(depth int) string {
	c := preamble
	for range depth {
		c = preamble + section(componentSection, c)
	}
	return c
}

// madeComponents are components that no tool makes, by the names they have in
// the image; some are made of the guest http.
func madeComponents(http string) map[string]string {
	// Another name of the same length is another import, and all else is as it was.
	importing := func(is, instead string) string {
		if !strings.Contains(http, is) || len(is) != len(instead) {
			panic("the guest does not import " + is)
		}
		return strings.ReplaceAll(http, is, instead)
	}
	return map[string]string{
		"component-half":     http[:len(http)/2],
		"component-version":  "\x00asm\x0e\x00\x01\x00",
		"component-4gib":     preamble + "\x01\xff\xff\xff\xff\x0f",
		"component-nested":   nested(10_000),
		"component-cyclic":   preamble + section(aliasSection, "\x01\x03\x02\x00\x00"),
		"component-stream":   preamble + section(typeSection, "\x01\x66\x00"),
		"component-0.3":      importing("wasi:http/types@0.2.4", "wasi:http/types@0.3.0"),
		"component-patch":    importing("wasi:clocks/wall-clock@0.2.12", "wasi:clocks/wall-clock@0.2.99"),
		"component-keyvalue": importing("wasi:random/insecure@0.2.12", "wasi:keyvalue/store@0.2.100"),
		"component-core":     preamble + section(coreModuleSection, "\x00asm\x01\x00\x00\x00\x01\x02\x01\x70"),
	}
}
