package component

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// Sections of a component that an outline does not copy as they are. Binary.md, "Component Definitions".
const (
	sectionCustom     = 0
	sectionCoreModule = 1
	sectionComponent  = 4
)

// maxOutlineDepth is deeper than any component that can be read is nested.
const maxOutlineDepth = 1000

var errOutline = errors.New("its sections do not fit into it")

// Outline returns a component with the outlines of its core modules, see [weave.Outline], which is what Read and linking look at. Where the
// code has been compiled already it can take the place of the component.
func Outline(wasm []byte) ([]byte, error) {
	if !Is(wasm) {
		return nil, ErrNotComponent
	}
	b, err := outline(wasm, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

func outline(wasm []byte, depth int) ([]byte, error) {
	if depth > maxOutlineDepth || len(wasm) < len(preamble) {
		return nil, errOutline
	}
	out := append([]byte(nil), wasm[:len(preamble)]...)
	for rest := wasm[len(preamble):]; len(rest) > 0; {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return nil, errOutline
		}
		contents := rest[1+n:][:size]
		rest = rest[1+n+int(size):]
		var err error
		switch id {
		case sectionCustom:
			if !isNames(contents) {
				continue
			}
		case sectionCoreModule:
			contents, err = weave.Outline(contents)
		case sectionComponent:
			contents, err = outline(contents, depth+1)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(contents)))
		out = append(out, contents...)
	}
	return out, nil
}

// isNames reports whether a custom section tells what things are called, for messages.
func isNames(contents []byte) bool {
	const name = "component-name"
	return len(contents) > len(name) && contents[0] == byte(len(name)) && string(contents[1:1+len(name)]) == name
}
