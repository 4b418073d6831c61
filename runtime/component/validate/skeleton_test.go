package validate_test

import (
	"encoding/binary"
	"slices"

	component "github.com/mayfly-run/mayfly/runtime/component/binary"
)

// skeleton leaves the code and data of core modules out of a component, so that it is small. It tells which bytes of what remains belong
// to core modules, or are sizes of sections.
func skeleton(wasm []byte, _ *component.Component) (small []byte, fixed func(int) bool) {
	var spans [][2]int
	small = componentSkeleton(wasm, 0, &spans)
	return small, func(i int) bool {
		return slices.ContainsFunc(spans, func(s [2]int) bool { return s[0] <= i && i < s[1] })
	}
}

const preambleSize = 8

// componentSkeleton returns a component that begins at an offset of the whole without what is large in it.
func componentSkeleton(wasm []byte, base int, spans *[][2]int) []byte {
	const custom, coreModule, nested = 0, 1, 4
	out := slices.Clone(wasm[:preambleSize])
	sections(wasm, func(id byte, b []byte) {
		if id == custom {
			return
		}
		// The size is written in 5 bytes, so that it is known where the contents begin before they are made.
		const header = 6
		at := base + len(out) + header
		switch id {
		case coreModule:
			b = moduleSkeleton(b)
			*spans = append(*spans, [2]int{at, at + len(b)})
		case nested:
			b = componentSkeleton(b, at, spans)
		}
		*spans = append(*spans, [2]int{at - header, at})
		out = append(out, id)
		out = append(out, byte(len(b))|0x80, byte(len(b)>>7)|0x80, byte(len(b)>>14)|0x80, byte(len(b)>>21)|0x80, byte(len(b)>>28)&0x7f)
		out = append(out, b...)
	})
	return out
}

// moduleSkeleton returns a core module of which each function traps.
func moduleSkeleton(wasm []byte) []byte {
	const custom, start, element, code, data, dataCount = 0, 8, 9, 10, 11, 12
	out := slices.Clone(wasm[:preambleSize])
	sections(wasm, func(id byte, b []byte) {
		switch id {
		case custom, start, element, data, dataCount:
			return
		case code:
			n, used := binary.Uvarint(b)
			b = slices.Clone(b[:used])
			for range n {
				b = append(b, 3, 0, 0x00, 0x0b) // a body of 3 bytes: no locals, unreachable, end
			}
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(b)))
		out = append(out, b...)
	})
	return out
}

func sections(wasm []byte, each func(id byte, b []byte)) {
	for rest := wasm[preambleSize:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		b := rest[1+n:][:size]
		each(rest[0], b)
		rest = rest[1+n+int(size):]
	}
}
