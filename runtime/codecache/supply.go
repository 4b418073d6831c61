package codecache

import (
	"fmt"
	"io"
	"os"
)

// supply is what wazero reads the code from. It reads the head in pieces, then all machine code at once into memory that it has made for that, and
// makes executable later, then the tail.
type supply struct {
	head, tail []byte
	text       *os.File
	size       int    // of text
	code       []byte // wazero's memory, when text is in it
}

var _ io.ReadCloser = (*supply)(nil)

func (s *supply) Read(p []byte) (int, error) {
	switch {
	case len(s.head) > 0:
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	case s.code == nil && s.size > 0:
		if len(p) != s.size {
			return 0, fmt.Errorf("%w: it reads %d bytes of code, and there are %d", ErrUnknown, len(p), s.size)
		}
		if err := mapOver(p, s.text); err != nil {
			return 0, err
		}
		s.code = p
		return len(p), nil
	case len(s.tail) > 0:
		n := copy(p, s.tail)
		s.tail = s.tail[n:]
		return n, nil
	}
	return 0, io.EOF
}

// Close has nothing to do.
func (s *supply) Close() error { return nil }

// used reports whether wazero has read all of it.
func (s *supply) used() bool { return len(s.head) == 0 && len(s.tail) == 0 }
