package binary

import (
	"fmt"
	"unicode/utf8"
)

// reader reads a piece of a component. After the first failure it stands at its end and reads zeroes, so that a caller need look at
// err only where it would else loop.
type reader struct {
	b       []byte
	pos     int
	base    int // offset of b in the file
	section string
	items   *int // how many more may be read, of the whole file
	err     *Error
}

// offset is where the reader stands in the file.
func (r *reader) offset() int { return r.base + r.pos }

// here is where the reader stands, as a definition keeps it.
func (r *reader) here() Pos { return Pos(r.offset()) }

func (r *reader) fail(format string, args ...any) { r.failAt(r.pos, format, args...) }

func (r *reader) failAt(pos int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: r.base + pos, Section: r.section, Reason: fmt.Sprintf(format, args...)}
		r.pos = len(r.b)
	}
}

// exceed fails because of a limit.
func (r *reader) exceed(format string, args ...any) {
	if r.err == nil {
		r.fail(format, args...)
		r.err.Limit = true
	}
}

// refuse fails because of something that is not supported.
func (r *reader) refuse(pos int, format string, args ...any) {
	if r.err == nil {
		r.failAt(pos, format, args...)
		r.err.Unsupported = true
	}
}

// later fails because of something of WASI 0.3.
func (r *reader) later(pos int, what string) {
	r.refuse(pos, "%s: WASI 0.3 is not supported yet (mayfly has 0.2); build for WASI 0.2", what)
}

func (r *reader) more() bool { return r.pos < len(r.b) }

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail("unexpected end")
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

// peek is the next byte, which stays; 0 at the end.
func (r *reader) peek() byte {
	if r.pos >= len(r.b) {
		return 0
	}
	return r.b[r.pos]
}

// expect reads a byte that can only be one.
func (r *reader) expect(want byte, what string) {
	at := r.pos
	if c := r.byte(); c != want {
		r.failAt(at, "%s %#02x: not known, only %#02x is", what, c, want)
	}
}

// flag reads a byte that is 0 or 1.
func (r *reader) flag(what string) bool {
	at := r.pos
	c := r.byte()
	if c > 1 {
		r.failAt(at, "%s: %#02x is neither 0 nor 1", what, c)
	}
	return c == 1
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail("%d bytes announced, %d left", n, len(r.b)-r.pos)
		return nil
	}
	b := r.b[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// sub returns a reader of the next n bytes.
func (r *reader) sub(n uint32) *reader {
	base := r.offset()
	return &reader{b: r.bytes(n), base: base, section: r.section, items: r.items, err: r.err}
}

// join makes the failure of a reader that sub returned its own.
func (r *reader) join(sub *reader) {
	if r.err == nil && sub.err != nil {
		r.err = sub.err
		r.pos = len(r.b)
	}
}

// end checks that nothing is left.
func (r *reader) end() {
	if r.err == nil && r.more() {
		r.fail("%d bytes too many", len(r.b)-r.pos)
	}
}

// u32 reads an unsigned LEB128 number of 32 bits. WebAssembly, section 5.2.2.
func (r *reader) u32() uint32 {
	at := r.pos
	var v uint32
	for shift := 0; ; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			r.failAt(at, "a number is larger than 32 bits")
			return 0
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

// u64 reads an unsigned LEB128 number of 64 bits.
func (r *reader) u64() uint64 {
	at := r.pos
	var v uint64
	for shift := 0; ; shift += 7 {
		c := r.byte()
		if shift == 63 && c > 0x01 {
			r.failAt(at, "a number is larger than 64 bits")
			return 0
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

// s33 reads a signed LEB128 number of 33 bits: an index, or something negative that is none.
func (r *reader) s33() int64 {
	at := r.pos
	var v int64
	for shift := 0; ; shift += 7 {
		c := r.byte()
		// The last byte has 5 bits of the number; the other two repeat the sign.
		if shift == 28 && c > 0x0f && c < 0x70 || shift == 28 && c > 0x7f {
			r.failAt(at, "a number is larger than 33 bits")
			return 0
		}
		v |= int64(c&0x7f) << shift
		if c < 0x80 {
			if c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
}

// count reads how many items follow, each of at least one byte.
func (r *reader) count(what string, limit int) int {
	at := r.pos
	n := r.u32()
	left := len(r.b) - r.pos
	switch {
	case uint64(n) > uint64(limit):
		r.exceed("%d %s: at most %d", n, what, limit)
	case uint64(n) > uint64(left):
		r.failAt(at, "%d %s announced, %d bytes left", n, what, left)
	case int(n) > *r.items:
		r.exceed("%d %s more: a component may have at most %d definitions, fields, arguments and names in all", n, what, maxItems)
	default:
		*r.items -= int(n)
		return int(n)
	}
	return 0
}

// list reads a vector. Binary.md, "vec".
func list[T any](r *reader, what string, limit int, read func(*reader) T) []T {
	n := r.count(what, limit)
	if n == 0 {
		return nil
	}
	all := make([]T, 0, n)
	for ; n > 0 && r.err == nil; n-- {
		all = append(all, read(r))
	}
	return all
}

func (r *reader) name() string {
	at := r.pos
	n := r.u32()
	if n > maxName {
		r.exceed("a name of %d bytes: at most %d", n, maxName)
		return ""
	}
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.failAt(at, "a name is not UTF-8")
	}
	return string(b)
}

// optionalIndex reads an index that may be left out.
func (r *reader) optionalIndex(what string) *uint32 {
	if !r.flag(what) {
		return nil
	}
	i := r.u32()
	return &i
}
