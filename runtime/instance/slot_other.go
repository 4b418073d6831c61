//go:build !linux

package instance

// slot is one linear memory in Go's heap. It serves the laptop, where an instance per request need not be cheap.
type slot struct {
	space []byte
}

func newSlot(uint64) (*slot, error) { return &slot{}, nil }

// bytes returns the first size bytes. It moves them when it must: wazero asks again for the address after each growth.
func (s *slot) bytes(size uint64) []byte {
	if size > uint64(len(s.space)) {
		grown := make([]byte, size)
		copy(grown, s.space)
		s.space = grown
	}
	return s.space[:size:size]
}

// reset reports that the slot cannot be used again: the collector is the better one at making zeroes.
func (s *slot) reset(uint64) bool { return false }

func (s *slot) free() { s.space = nil }
