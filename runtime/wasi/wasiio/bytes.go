package wasiio

import (
	"io"
	"slices"
)

// bytesInput is an input stream of what is in memory.
type bytesInput struct {
	AlwaysReady
	rest []byte
}

// FromBytes returns a stream of b, which is not changed.
func FromBytes(b []byte) InputStream { return &bytesInput{rest: b} }

// Empty returns a stream that is at its end.
func Empty() InputStream { return &bytesInput{} }

func (s *bytesInput) Read(limit int) ([]byte, error) {
	if len(s.rest) == 0 {
		return nil, io.EOF
	}
	n := min(limit, len(s.rest))
	b := slices.Clone(s.rest[:n])
	s.rest = s.rest[n:]
	return b, nil
}

func (s *bytesInput) Close() error {
	s.rest = nil
	return nil
}
