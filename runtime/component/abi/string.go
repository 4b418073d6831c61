package abi

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"
)

const (
	// maxStringByteLength bounds a string, in whatever encoding it is. Canonical ABI, MAX_STRING_BYTE_LENGTH.
	maxStringByteLength = 1<<28 - 1

	// utf16Tag in the length of a latin1+utf16 string says that it is UTF-16.
	utf16Tag = 1 << 31
)

// loadStringFromRange lifts a string. Canonical ABI, load_string_from_range.
func (cx *LiftLowerContext) loadStringFromRange(ptr, tagged uint32) (Value, error) {
	size, align, from := uint64(tagged), uint32(1), sourceUTF8
	switch cx.opts.Encoding {
	case UTF16:
		size, align, from = 2*size, 2, sourceUTF16
	case Latin1UTF16:
		align, from = 2, sourceLatin1
		if tagged&utf16Tag != 0 {
			size, from = 2*uint64(tagged^utf16Tag), sourceTaggedUTF16
		}
	}
	if size > maxStringByteLength {
		return Value{}, trap("string at 0x%x of %d bytes: too long", ptr, size)
	}
	if err := cx.check("string", ptr, size, align); err != nil {
		return Value{}, err
	}
	m := cx.mem[ptr:][:size] // ptr + size may be 1<<32
	var s string
	var err error
	switch from {
	case sourceUTF8:
		s, err = cx.decodeUTF8(m)
	case sourceLatin1:
		s, err = cx.decodeLatin1(m)
	default:
		s, err = cx.decodeUTF16(m)
	}
	return stringFrom(s, from), err
}

func (cx *LiftLowerContext) decodeUTF8(m []byte) (string, error) {
	if !utf8.Valid(m) {
		return "", trap("string content: invalid utf-8")
	}
	if err := cx.take(uint64(len(m))); err != nil {
		return "", err
	}
	return string(m), nil
}

func (cx *LiftLowerContext) decodeLatin1(m []byte) (string, error) {
	size := len(m)
	for _, c := range m {
		size += int(c >> 7)
	}
	if err := cx.take(uint64(size)); err != nil {
		return "", err
	}
	b := make([]byte, 0, size)
	for _, c := range m {
		b = utf8.AppendRune(b, rune(c))
	}
	return unsafe.String(unsafe.SliceData(b), len(b)), nil
}

func (cx *LiftLowerContext) decodeUTF16(m []byte) (string, error) {
	size := 0
	for rest := m; len(rest) > 0; {
		r, n := decodeUnit(rest)
		if n == 0 {
			return "", trap("string content: invalid utf-16: a surrogate without its other half")
		}
		size += utf8.RuneLen(r)
		rest = rest[n:]
	}
	if err := cx.take(uint64(size)); err != nil {
		return "", err
	}
	b := make([]byte, 0, size)
	for rest := m; len(rest) > 0; {
		r, n := decodeUnit(rest)
		b = utf8.AppendRune(b, r)
		rest = rest[n:]
	}
	return unsafe.String(unsafe.SliceData(b), len(b)), nil
}

// decodeUnit reads a character of UTF-16, and how many bytes it takes: 0 if it is none.
func decodeUnit(m []byte) (rune, int) {
	c := rune(binary.LittleEndian.Uint16(m))
	switch {
	case c < 0xd800 || c > 0xdfff:
		return c, 2
	case c > 0xdbff || len(m) < 4:
		return 0, 0
	}
	d := rune(binary.LittleEndian.Uint16(m[2:]))
	if d < 0xdc00 || d > 0xdfff {
		return 0, 0
	}
	return (c-0xd800)<<10 + (d - 0xdc00) + 0x10000, 4
}
