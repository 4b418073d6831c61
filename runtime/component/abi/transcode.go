package abi

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// How a string is stored depends on the encodings of both sides. A string is UTF-8 here in between, but the calls of the
// guest's realloc are those that the specification makes for the encoding in which the other component gave it.

// storeStringIntoRange lowers a string. Canonical ABI, store_string_into_range.
func (cx *LiftLowerContext) storeStringIntoRange(v Value) (ptr, tagged uint32, err error) {
	s, ok := v.text()
	if !ok {
		return 0, 0, hostError("a string is needed: make it with String")
	}
	if len(s) > maxStringByteLength {
		return 0, 0, hostError("a string of %d bytes: must be at most %d", len(s), maxStringByteLength)
	}
	from := v.source()
	if from == sourceUTF8 && !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	units := sourceUnits(s, from)
	switch cx.opts.Encoding {
	case UTF8:
		switch from {
		case sourceUTF8:
			return cx.storeUTF8(s)
		case sourceLatin1:
			return cx.storeStringToUTF8(s, units, 2*units)
		default:
			return cx.storeStringToUTF8(s, units, 3*units)
		}
	case UTF16:
		if from == sourceUTF8 {
			return cx.storeUTF8ToUTF16(s, units)
		}
		return cx.storeUTF16(s, units)
	default:
		switch from {
		case sourceLatin1:
			return cx.storeLatin1(s, units)
		case sourceTaggedUTF16:
			return cx.storeProbablyUTF16ToLatin1OrUTF16(s, units)
		default:
			return cx.storeStringToLatin1OrUTF16(s, units)
		}
	}
}

// sourceUnits is how many code units a string had where it is from.
func sourceUnits(s string, from source) uint32 {
	switch from {
	case sourceUTF8:
		return uint32(len(s))
	case sourceLatin1:
		return uint32(utf8.RuneCountInString(s))
	default:
		return utf16Units(s)
	}
}

func utf16Units(s string) uint32 {
	n := uint32(0)
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// The three that follow are the specification's store_string_copy.

func (cx *LiftLowerContext) storeUTF8(s string) (ptr, tagged uint32, err error) {
	if ptr, err = cx.allocate(1, uint32(len(s))); err != nil {
		return 0, 0, err
	}
	copy(cx.mem[ptr:], s)
	return ptr, uint32(len(s)), nil
}

func (cx *LiftLowerContext) storeUTF16(s string, units uint32) (ptr, tagged uint32, err error) {
	if ptr, err = cx.allocate(2, 2*units); err != nil {
		return 0, 0, err
	}
	encodeUTF16(cx.mem[ptr:], s)
	return ptr, units, nil
}

func (cx *LiftLowerContext) storeLatin1(s string, units uint32) (ptr, tagged uint32, err error) {
	if ptr, err = cx.allocate(2, units); err != nil {
		return 0, 0, err
	}
	encodeLatin1(cx.mem[ptr:], s)
	return ptr, units, nil
}

// storeStringToUTF8 hopes for ASCII, and takes what the worst case needs when it is disappointed.
func (cx *LiftLowerContext) storeStringToUTF8(s string, units, worst uint32) (ptr, tagged uint32, err error) {
	if ptr, err = cx.allocate(1, units); err != nil {
		return 0, 0, err
	}
	ascii := 0
	for ascii < len(s) && s[ascii] < utf8.RuneSelf {
		ascii++
	}
	copy(cx.mem[ptr:], s[:ascii])
	if ascii == len(s) {
		return ptr, units, nil
	}
	if ptr, err = cx.reallocate(ptr, units, 1, worst); err != nil {
		return 0, 0, err
	}
	size := uint32(len(s))
	copy(cx.mem[int(ptr)+ascii:], s[ascii:])
	if worst > size {
		if ptr, err = cx.reallocate(ptr, worst, 1, size); err != nil {
			return 0, 0, err
		}
	}
	return ptr, size, nil
}

func (cx *LiftLowerContext) storeUTF8ToUTF16(s string, units uint32) (ptr, tagged uint32, err error) {
	worst := 2 * units
	if ptr, err = cx.allocate(2, worst); err != nil {
		return 0, 0, err
	}
	size := encodeUTF16(cx.mem[ptr:], s)
	if size < worst {
		if ptr, err = cx.reallocate(ptr, worst, 2, size); err != nil {
			return 0, 0, err
		}
	}
	return ptr, size / 2, nil
}

// storeStringToLatin1OrUTF16 hopes for Latin-1, and inflates what it has stored when it is disappointed.
func (cx *LiftLowerContext) storeStringToLatin1OrUTF16(s string, units uint32) (ptr, tagged uint32, err error) {
	if ptr, err = cx.allocate(2, units); err != nil {
		return 0, 0, err
	}
	latin1, rest := encodeLatin1(cx.mem[ptr:], s)
	if rest != "" {
		return cx.inflate(ptr, rest, units, latin1)
	}
	if latin1 < units {
		if ptr, err = cx.reallocate(ptr, units, 2, latin1); err != nil {
			return 0, 0, err
		}
	}
	return ptr, latin1, nil
}

// inflate makes UTF-16 of the latin1 bytes at ptr, where there is room for units, and stores the rest of the string behind them.
func (cx *LiftLowerContext) inflate(ptr uint32, rest string, units, latin1 uint32) (_, tagged uint32, err error) {
	worst := 2 * units
	if ptr, err = cx.reallocate(ptr, units, 2, worst); err != nil {
		return 0, 0, err
	}
	m := cx.mem[ptr:][:worst]
	for i := int(latin1) - 1; i >= 0; i-- {
		m[2*i], m[2*i+1] = m[i], 0
	}
	size := 2*latin1 + encodeUTF16(m[2*latin1:], rest)
	if worst > size {
		if ptr, err = cx.reallocate(ptr, worst, 2, size); err != nil {
			return 0, 0, err
		}
	}
	return ptr, size/2 | utf16Tag, nil
}

func (cx *LiftLowerContext) storeProbablyUTF16ToLatin1OrUTF16(s string, units uint32) (ptr, tagged uint32, err error) {
	if ptr, err = cx.allocate(2, 2*units); err != nil {
		return 0, 0, err
	}
	encodeUTF16(cx.mem[ptr:], s)
	for _, r := range s {
		if r > 0xff {
			return ptr, units | utf16Tag, nil
		}
	}
	encodeLatin1(cx.mem[ptr:], s)
	if ptr, err = cx.reallocate(ptr, 2*units, 1, units); err != nil {
		return 0, 0, err
	}
	return ptr, units, nil
}

// encodeUTF16 returns how many bytes it wrote.
func encodeUTF16(m []byte, s string) uint32 {
	n := uint32(0)
	for _, r := range s {
		if r > 0xffff {
			r -= 0x10000
			binary.LittleEndian.PutUint16(m[n:], 0xd800|uint16(r>>10))
			binary.LittleEndian.PutUint16(m[n+2:], 0xdc00|uint16(r&0x3ff))
			n += 4
			continue
		}
		binary.LittleEndian.PutUint16(m[n:], uint16(r))
		n += 2
	}
	return n
}

// encodeLatin1 returns how many bytes it wrote, and the string from the first character that is not Latin-1.
func encodeLatin1(m []byte, s string) (n uint32, rest string) {
	for i, r := range s {
		if r > 0xff {
			return n, s[i:]
		}
		m[n] = byte(r)
		n++
	}
	return n, ""
}
