package instance

// heapSlot is one linear memory in Go's heap. It serves the laptop, where an instance per request need not be cheap.
type heapSlot struct {
	image *image
	space []byte
}

var _ slot = (*heapSlot)(nil)

// bytes implements slot. It moves them when it must: wazero asks again for the address after each growth.
func (s *heapSlot) bytes(size uint64) []byte {
	if size > uint64(len(s.space)) {
		grown := make([]byte, size)
		if copy(grown, s.space) == 0 {
			copy(grown, s.image.content)
		}
		s.space = grown
	}
	return s.space[:size:size]
}

// reset reports that the slot cannot be used again: the collector is the better one at making zeroes.
func (s *heapSlot) reset(uint64, bool) (kept uint64, ok bool) { return 0, false }

func (s *heapSlot) free() { s.space = nil }
