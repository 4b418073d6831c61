package describe

import (
	"errors"
	"strings"
)

var (
	errShort = errors.New("it breaks off: the file is incomplete")
	errLEB   = errors.New("a number that does not end")
	errCount = errors.New("it states more items than it has bytes")
)

// reader takes a section's content apart. After the first error everything it
// returns is zero; err holds the error.
type reader struct {
	p   []byte
	at  int
	err error
}

func (r *reader) left() int {
	if r.err != nil {
		return 0
	}
	return len(r.p) - r.at
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) byte() byte {
	if r.left() < 1 {
		r.fail(errShort)
		return 0
	}
	r.at++
	return r.p[r.at-1]
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || r.left() < n {
		r.fail(errShort)
		return nil
	}
	r.at += n
	return r.p[r.at-n : r.at]
}

func (r *reader) u64() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			return v
		}
	}
	r.fail(errLEB)
	return 0
}

func (r *reader) u32() uint32 {
	v := r.u64()
	if v > 1<<32-1 {
		r.fail(errLEB)
		return 0
	}
	return uint32(v)
}

// count is the number of items of a vector; each has at least a byte.
func (r *reader) count() int {
	n := int(r.u32())
	if n > r.left() || n > maxItems {
		r.fail(errCount)
		return 0
	}
	return n
}

// name is a string, with what is not text in it replaced: it is shown on a
// terminal.
func (r *reader) name() string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0) {
			return '�'
		}
		return c
	}, strings.ToValidUTF8(string(r.bytes(int(r.u32()))), "�"))
}
