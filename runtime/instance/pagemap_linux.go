package instance

import (
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxScanned bounds how much of a memory the kernel is asked about, in bytes.
const maxScanned = 64 << 20

// pagemap tells which pages of a private mapping have been written to: those that are neither the file's nor untouched. It is the
// kernel's own account, /proc/self/pagemap, and needs no privilege.
type pagemap struct {
	file *os.File // nil: there is none
	page uint64   // the size of one
}

func openPagemap() pagemap {
	m := pagemap{page: uint64(os.Getpagesize())}
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return m // whoever asks is told that it is not known
	}
	if m.file = file; !m.proven() {
		file.Close()
		m.file = nil
	}
	return m
}

// proven reports whether the account is right for three pages, of which the middle one has been written to. A system that only has the file, for
// programs that look at it, would have one request's data left for the next.
func (m pagemap) proven() bool {
	space, err := unix.Mmap(-1, 0, int(3*m.page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return false
	}
	defer unmapFile(space)
	_ = unix.Madvise(space, unix.MADV_NOHUGEPAGE) // as for slots
	space[m.page] = 1
	s := m.scan(space)
	if s == nil {
		return false
	}
	defer s.give()
	return slices.Equal(s.written, []int32{1})
}

func (m pagemap) close() {
	if m.file != nil {
		m.file.Close()
	}
}

// Bits of an entry. Linux, Documentation/admin-guide/mm/pagemap.rst.
const (
	entryFile    = 1 << 61 // it is a page of a file, or of memory that is shared
	entrySwapped = 1 << 62
	entryPresent = 1 << 63
)

// scan is an account of the pages of a slot.
type scan struct {
	entries []uint64
	written []int32 // their numbers, ascending
}

var scans = sync.Pool{New: func() any { return new(scan) }}

// scan finds the pages of a space that have been written to, be they in memory or swapped out; nil when it cannot be told. It is to be given back.
func (m pagemap) scan(space []byte) *scan {
	if m.file == nil {
		return nil
	}
	s := scans.Get().(*scan)
	n := int((uint64(len(space)) + m.page - 1) / m.page)
	if cap(s.entries) < n {
		s.entries = make([]uint64, n)
	}
	s.entries, s.written = s.entries[:n], s.written[:0]
	if n == 0 {
		return s
	}
	const size = int(unsafe.Sizeof(s.entries[0]))
	at := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(space)))) / m.page * uint64(size)
	if _, err := m.file.ReadAt(unsafe.Slice((*byte)(unsafe.Pointer(&s.entries[0])), n*size), int64(at)); err != nil {
		s.give()
		return nil
	}
	for p, entry := range s.entries {
		if entry&entryFile == 0 && entry&(entrySwapped|entryPresent) != 0 {
			s.written = append(s.written, int32(p))
		}
	}
	return s
}

func (s *scan) give() { scans.Put(s) }
