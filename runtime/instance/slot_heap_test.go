package instance

import (
	"bytes"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

func TestASlotOnTheHeapBeginsAsItsImageToo(t *testing.T) {
	memories := [][]weave.Segment{{{At: 3, Bytes: []byte("image")}}}
	sizes, total := imageSizes(memories)
	image := &heapImages(memories, sizes, total).all[0]
	for range 2 {
		s := &heapSlot{image: image}
		if b := s.bytes(0); len(b) != 0 {
			t.Errorf("%d bytes", len(b))
		}
		b := s.bytes(pageSize)
		if string(b[3:8]) != "image" || bytes.Count(b, []byte{0}) != pageSize-5 {
			t.Errorf("it begins with %q", b[:10])
		}
		copy(b, "other   x")
		if grown := s.bytes(3 * pageSize); string(grown[:9]) != "other   x" || bytes.Count(grown, []byte{0}) != 3*pageSize-9 {
			t.Errorf("grown it begins with %q", grown[:10])
		}
		if _, ok := s.reset(3*pageSize, true); ok {
			t.Error("it can be used again, and is not what it was")
		}
		s.free()
	}
}
