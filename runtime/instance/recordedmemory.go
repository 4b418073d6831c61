package instance

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/mayfly-run/mayfly/internal/compiled"
)

// An entry of compiled code has the images of the memories in one file, as engines map it, and one that says how many data segments of each
// module are in them, and how large each is: numbers of 8 bytes, each list after its length.
const (
	imagesFile = "images"
	memoryFile = "memory"
)

func (c *recorder) contents(_ []uint64, taken []int, create func() (*images, error)) ([]int, *images, error) {
	i, err := create()
	if err != nil {
		return nil, nil, err
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(taken)))
	for _, n := range taken {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(len(i.all)))
	for k := range i.all {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(i.all[k].content)))
	}
	if err = c.write(memoryFile, func(f *os.File) error { _, err := f.Write(b); return err }); err == nil {
		err = c.write(imagesFile, func(f *os.File) error { return writeSparse(f, i.space) })
	}
	if err != nil {
		i.close()
		return nil, nil, err
	}
	return taken, i, nil
}

// writeSparse writes a file with holes where there are zeroes.
func writeSparse(f *os.File, b []byte) error {
	const block = 4 << 10
	var zero [block]byte
	for at := 0; at < len(b); at += block {
		piece := b[at:min(at+block, len(b))]
		if string(piece) == string(zero[:len(piece)]) {
			continue
		}
		if _, err := f.WriteAt(piece, int64(at)); err != nil {
			return err
		}
	}
	return f.Truncate(int64(len(b)))
}

func (c *record) contents(sizes []uint64, taken []int, _ func() (*images, error)) ([]int, *images, error) {
	b, err := c.entry.Read(memoryFile)
	if err != nil {
		return nil, nil, err
	}
	recorded, images, err := parseMemory(b)
	if err != nil {
		return nil, nil, err
	}
	if len(recorded) != len(taken) || len(images) != len(sizes) {
		return nil, nil, fmt.Errorf("%w: %d modules and %d memories, where there are %d and %d", compiled.ErrInvalid, len(recorded), len(images), len(taken), len(sizes))
	}
	for k, size := range images {
		if size > sizes[k] || size%pageSize != 0 {
			return nil, nil, fmt.Errorf("%w: a memory of %d bytes begins with %d", compiled.ErrInvalid, sizes[k], size)
		}
	}
	i, err := c.openImages(images)
	return recorded, i, err
}

// openImages maps the images, which have these sizes.
func (c *record) openImages(sizes []uint64) (*images, error) {
	total := uint64(0)
	for _, size := range sizes {
		total += size
	}
	f, err := c.entry.File(imagesFile)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && uint64(info.Size()) != total {
		err = fmt.Errorf("%w: %d bytes of memory images, where there are %d", compiled.ErrInvalid, total, info.Size())
	}
	if err != nil || total == 0 {
		f.Close()
		return &images{all: make([]image, len(sizes))}, err
	}
	return openImages(f, sizes)
}

// parseMemory reads the file of that name.
func parseMemory(b []byte) (taken []int, sizes []uint64, err error) {
	list := func(most uint64) (all []uint64) {
		if err != nil || len(b) < 8 {
			err = io.ErrUnexpectedEOF
			return nil
		}
		n := binary.LittleEndian.Uint64(b)
		if b = b[8:]; n > most || uint64(len(b)) < 8*n {
			err = io.ErrUnexpectedEOF
			return nil
		}
		for ; n > 0; n-- {
			all = append(all, binary.LittleEndian.Uint64(b))
			b = b[8:]
		}
		return all
	}
	for _, n := range list(maxParts) {
		taken = append(taken, int(min(n, 1<<31-1)))
	}
	for _, n := range list(maxGroupMemories) {
		sizes = append(sizes, min(n, maxMemory+1))
	}
	if err != nil || len(b) > 0 {
		return nil, nil, fmt.Errorf("%w: what it says of memories has another length", compiled.ErrInvalid)
	}
	return taken, sizes, nil
}
