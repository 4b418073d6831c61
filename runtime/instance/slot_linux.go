package instance

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mappedSlot is address space outside Go's heap. Its begin is the image: each page of that is shared with all others until the guest writes
// to it, and is a copy of its own from then on. The rest is zero, and has pages from the guest's first touch on.
type mappedSlot struct {
	space []byte
	pool  *pool
	clean bool   // it has no page of its own
	kept  uint64 // bytes of its own pages, after reset
}

var _ slot = (*mappedSlot)(nil)

func newSlot(p *pool) (slot, error) {
	size, i := p.stock.runtime.limits.Memory, p.image
	space, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve %s of address space for an instance: %w", inUnits(size), err)
	}
	// Where transparent huge pages are always on, the first byte written would cost 2 MiB.
	_ = unix.Madvise(space, unix.MADV_NOHUGEPAGE) // best effort: kernels without huge pages refuse it
	s := &mappedSlot{space: space, pool: p, clean: true}
	if i.file == nil {
		copy(space, i.content)
		return s, nil
	}
	if len(i.content) > 0 {
		_, err := unix.MmapPtr(int(i.file.Fd()), i.offset, unsafe.Pointer(&space[0]), uintptr(len(i.content)),
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
		if err != nil {
			s.free()
			return nil, fmt.Errorf("map the image of a memory: %w", err)
		}
	}
	return s, nil
}

func (s *mappedSlot) bytes(size uint64) []byte { return s.space[:size:size] }

func (s *mappedSlot) free() {
	unmapFile(s.space)
	s.space = nil
}

// maxGap is how many pages that were not written to may lie between two that are dropped together: to fault them in again, should they be
// read, costs less than another system call.
const maxGap = 16

// reset implements slot. Of the pages that the guest has written to, hot ones get back what the image has: the next guest will write to
// them too, and finds them in place. All others are dropped. What was only read stays mapped. Where the kernel does not tell them apart, all
// pages are dropped.
func (s *mappedSlot) reset(used uint64, ran bool) (kept uint64, ok bool) {
	if used == 0 {
		return s.kept, true
	}
	s.kept = 0
	scan := s.pool.stock.runtime.pagemap.scan(s.space[:min(used, maxScanned)])
	if scan == nil {
		return 0, s.drop(0, used)
	}
	defer scan.give()
	page, hot := s.pool.stock.runtime.pagemap.page, &s.pool.hot
	if ran && s.clean {
		hot.learn(scan.written, int(page))
	}
	if !ran || hot.due() {
		s.clean = true
		return 0, s.drop(0, used)
	}
	set := hot.pages()
	for w := scan.written; len(w) > 0; {
		n := 1
		if set.has(w[0]) {
			for n < len(w) && w[n] == w[n-1]+1 && set.has(w[n]) {
				n++
			}
			s.restore(uint64(w[0])*page, uint64(n)*page)
			s.kept += uint64(n) * page
		} else {
			for n < len(w) && w[n] <= w[n-1]+maxGap && !set.has(w[n]) {
				n++
			}
			if !s.drop(uint64(w[0])*page, uint64(w[n-1]+1)*page) {
				return 0, false
			}
		}
		w = w[n:]
	}
	s.clean = s.kept == 0
	s.pool.stock.runtime.resets.restored.Add(s.kept)
	return s.kept, used <= maxScanned || s.drop(maxScanned, used)
}

// drop makes the kernel take pages away. A later touch gets the image's, or a zeroed one.
func (s *mappedSlot) drop(from, to uint64) bool {
	if from == to {
		return true
	}
	s.pool.stock.runtime.resets.dropped.Add(to - from)
	if err := unix.Madvise(s.space[from:to], unix.MADV_DONTNEED); err != nil {
		return false
	}
	if i := s.pool.image; i.file == nil && from < uint64(len(i.content)) {
		copy(s.space[from:to], i.content[from:])
	}
	return true
}

// restore writes n bytes again.
func (s *mappedSlot) restore(at, n uint64) {
	space := s.space[at : at+n]
	if content := s.pool.image.content; at < uint64(len(content)) {
		space = space[copy(space, content[at:]):]
	}
	clear(space)
}
