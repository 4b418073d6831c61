package instance

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newImageFile makes a file in memory that nobody can change any more once write has filled it.
func newImageFile(size uint64, write func(space []byte)) (*os.File, error) {
	const name = "mayfly-image"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), name)
	if err := writeAndSeal(fd, size, write); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func writeAndSeal(fd int, size uint64, write func(space []byte)) error {
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return fmt.Errorf("give a file in memory its size: %w", err)
	}
	space, err := unix.Mmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map a file in memory: %w", err)
	}
	write(space)
	unmapFile(space)
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal a file in memory: %w", err)
	}
	return nil
}

// allocated is how much memory a file in memory takes: it may have holes.
func allocated(file *os.File) uint64 {
	const block = 512
	var s unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &s); err != nil {
		return 0
	}
	return uint64(s.Blocks) * block
}

// mapFile maps the first bytes of a file, to be read. Linux before 6.7 would not map a sealed one shared; private is no different here.
func mapFile(file *os.File, size uint64) ([]byte, error) {
	return unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
}

func unmapFile(space []byte) {
	if err := unix.Munmap(space); err != nil {
		panic(fmt.Sprintf("instance: unmap: %v", err)) // only a bug of ours can bring this about
	}
}

// forget takes the pages of a mapping out of memory; they are in the file.
func forget(space []byte) {
	_ = unix.Madvise(space, unix.MADV_DONTNEED) // best effort: they only stay
}
