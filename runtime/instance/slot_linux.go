package instance

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// slot is address space for one linear memory, outside Go's heap: the kernel gives it pages as the guest touches them, zeroed.
type slot struct {
	space []byte
}

func newSlot(size uint64) (*slot, error) {
	space, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve %s of address space for an instance: %w", inUnits(size), err)
	}
	// Where transparent huge pages are always on, the first byte written would cost 2 MiB.
	_ = unix.Madvise(space, unix.MADV_NOHUGEPAGE) // best effort: kernels without huge pages refuse it
	return &slot{space: space}, nil
}

// bytes returns the first size bytes; size is within the slot.
func (s *slot) bytes(size uint64) []byte { return s.space[:size:size] }

// reset makes the slot read as zeroes again and reports whether that succeeded.
func (s *slot) reset(used uint64) bool {
	if used == 0 {
		return true
	}
	return unix.Madvise(s.space[:used], unix.MADV_DONTNEED) == nil
}

func (s *slot) free() {
	if err := unix.Munmap(s.space); err != nil {
		panic(fmt.Sprintf("instance: unmap a slot: %v", err)) // only a bug of ours can bring this about
	}
	s.space = nil
}
