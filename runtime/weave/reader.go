package weave

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Error is a module that could not be understood.
type Error struct {
	Offset  int    // in the file
	Section string // "code"; empty outside of sections
	Reason  string
	Limit   bool // it may be a good module, but exceeds a limit of ours

	Unsupported bool // it may be a good module, but needs something that the engine has not
}

func (e *Error) Error() string {
	if e.Section == "" {
		return fmt.Sprintf("at byte %#x: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("at byte %#x, in the %s section: %s", e.Offset, e.Section, e.Reason)
}

// reader reads a piece of a module. After the first failure it stands at its end and reads zeroes, so that a caller need look at err
// only where it would else loop or allocate.
type reader struct {
	b       []byte
	pos     int
	base    int // offset of b in the file
	section string
	err     *Error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: r.base + r.pos, Section: r.section, Reason: fmt.Sprintf(format, args...)}
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

// lack fails because of something that a good module may have, and the engine has not.
func (r *reader) lack(format string, args ...any) {
	if r.err == nil {
		r.fail(format, args...)
		r.err.Unsupported = true
	}
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
	base := r.base + r.pos
	return &reader{b: r.bytes(n), base: base, section: r.section, err: r.err}
}

// join makes the failure of a reader that sub returned its own.
func (r *reader) join(sub *reader) {
	if r.err == nil && sub.err != nil {
		r.err = sub.err
		r.pos = len(r.b)
	}
}

// u32 reads an unsigned LEB128 number of 32 bits.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) { // most numbers are small
		if c := r.b[r.pos]; c < 0x80 {
			r.pos++
			return uint32(c)
		}
	}
	var v uint32
	for shift := 0; ; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			r.fail("a number is larger than 32 bits")
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
	var v uint64
	for shift := 0; ; shift += 7 {
		c := r.byte()
		if shift == 63 && c > 1 {
			r.fail("a number is larger than 64 bits")
			return 0
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

// i32 reads the operand of an i32.const, and reports whether it is one of 32 bits.
func (r *reader) i32() (v int32, ok bool) {
	at := r.pos
	r.skipSigned(32)
	var wide int64
	bits := 0
	for _, c := range r.since(at) {
		wide |= int64(c&0x7f) << bits
		bits += 7
	}
	if bits > 0 && wide>>(bits-1)&1 != 0 {
		wide -= 1 << bits
	}
	return int32(wide), r.err == nil && wide == int64(int32(wide))
}

// skipSigned skips a signed LEB128 number of the given number of bits. Its value stays as it was written, for the engine to judge.
func (r *reader) skipSigned(bits int) {
	for n := 0; ; n += 7 {
		if n >= bits {
			r.fail("a number is longer than %d bits", bits)
			return
		}
		if r.byte() < 0x80 {
			return
		}
	}
}

// count reads how many items follow, each of at least one byte.
func (r *reader) count(what string, limit int) int {
	n := r.u32()
	if n > uint32(min(limit, math.MaxInt32)) {
		r.exceed("%d %s: at most %d", n, what, limit)
		return 0
	}
	if int(n) > len(r.b)-r.pos {
		r.fail("%d %s announced, %d bytes left", n, what, len(r.b)-r.pos)
		return 0
	}
	return int(n)
}

// index reads an index of something of which there are n.
func (r *reader) index(what string, n int) int {
	at := r.pos
	i := r.u32()
	if r.err == nil && uint64(i) >= uint64(n) {
		r.pos = at
		r.fail("%s %d: there are %d", what, i, n)
		return 0
	}
	return int(i)
}

// name reads a name, which wazero and we show to people.
func (r *reader) name(limit int) string {
	n := r.u32()
	if n > uint32(limit) {
		r.exceed("a name of %d bytes: at most %d", n, limit)
		return ""
	}
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.fail("a name is not UTF-8")
	}
	return string(b)
}

// since returns what was read from a position on.
func (r *reader) since(pos int) []byte { return r.b[pos:r.pos] }

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendI32Const appends the instruction i32.const v.
func appendI32Const(b []byte, v int32) []byte { return appendSigned(append(b, opI32Const), int64(v)) }

// appendI64Const appends the instruction i64.const v.
func appendI64Const(b []byte, v int64) []byte { return appendSigned(append(b, opI64Const), v) }

func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
