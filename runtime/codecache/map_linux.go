package codecache

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapOver puts a file in the place of memory that wazero has just got from the system, and makes executable when it has read it.
func mapOver(p []byte, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != int64(len(p)) {
		return fmt.Errorf("%w: %d bytes of machine code in a file of %d", ErrCode, len(p), info.Size())
	}
	at := unsafe.Pointer(unsafe.SliceData(p))
	if uintptr(at)%uintptr(os.Getpagesize()) != 0 {
		return fmt.Errorf("%w: the memory for code does not begin with a page", ErrUnknown)
	}
	if _, err := unix.MmapPtr(int(f.Fd()), 0, at, uintptr(len(p)), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_FIXED); err != nil {
		return fmt.Errorf("map machine code: %w", err)
	}
	return nil
}

// unmap frees memory that nothing refers to any more.
func unmap(p []byte) { _ = unix.Munmap(p) }

// untouch forgets the pages that were read only for their checksum: those that run come back by themselves.
func untouch(p []byte) { _ = unix.Madvise(p, unix.MADV_DONTNEED) }
