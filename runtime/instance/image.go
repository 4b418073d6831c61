package instance

import (
	"bytes"
	"fmt"
	"os"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// image is what a linear memory begins with. A slot is bound to one.
type image struct {
	content []byte   // to be read only; whole pages. What is beyond it is zero.
	file    *os.File // has the content too, for slots to map; nil: they copy it
	offset  int64    // in the file
}

// images are those of all memories of a module or a group, one behind the other in one file.
type images struct {
	all   []image
	file  *os.File // nil: on Go's heap
	space []byte   // all contents
	own   uint64   // bytes of the file that are in memory for this process alone
}

// newImages makes the images of memories from what data segments write to them, in their order.
func newImages(memories [][]weave.Segment) (*images, error) {
	sizes, total := imageSizes(memories)
	if total == 0 {
		return &images{all: make([]image, len(memories))}, nil
	}
	file, err := newImageFile(total, func(space []byte) {
		for k, segments := range memories {
			fill(space[:sizes[k]], segments)
			space = space[sizes[k]:]
		}
	})
	if err == nil {
		i, err := openImages(file, sizes)
		if err == nil {
			i.own = allocated(file)
		}
		return i, err
	}
	return heapImages(memories, sizes, total), nil
}

// heapImages are for systems that have no such files, or grant none.
func heapImages(memories [][]weave.Segment, sizes []uint64, total uint64) *images {
	i := &images{space: make([]byte, total)}
	i.divide(sizes)
	for k, segments := range memories {
		fill(i.all[k].content, segments)
	}
	return i
}

// openImages makes images of these sizes, which are whole pages, of a file that has them one behind the other, and owns it then. The file
// must not change any more.
func openImages(file *os.File, sizes []uint64) (*images, error) {
	total := uint64(0)
	for _, size := range sizes {
		total += size
	}
	space, err := mapFile(file, total)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("map %s of memory images: %w", inUnits(total), err)
	}
	i := &images{file: file, space: space}
	i.divide(sizes)
	return i, nil
}

// imageSizes returns how large the images must be, each and all.
func imageSizes(memories [][]weave.Segment) (sizes []uint64, total uint64) {
	sizes = make([]uint64, len(memories))
	for k, segments := range memories {
		for _, s := range segments {
			sizes[k] = max(sizes[k], wholePages(s.At+uint64(len(s.Bytes))))
		}
		total += sizes[k]
	}
	return sizes, total
}

func (i *images) divide(sizes []uint64) {
	i.all = make([]image, len(sizes))
	offset := uint64(0)
	for k, size := range sizes {
		i.all[k] = image{content: i.space[offset : offset+size : offset+size], file: i.file, offset: int64(offset)}
		offset += size
	}
}

// trim gives back what of the images this process has in memory for itself. They can be used as before.
func (i *images) trim() {
	if i.file != nil {
		forget(i.space)
	}
}

// close frees the images. No slot may be bound to one of them any more.
func (i *images) close() {
	if i.file == nil {
		return
	}
	unmapFile(i.space)
	i.file.Close() // nothing was written through it
	*i = images{}
}

// fill writes segments to a space that is zero. Blocks that stay zero are not touched, so that a file has holes there.
func fill(space []byte, segments []weave.Segment) {
	const block = 4 << 10
	written := make([]bool, (len(space)+block-1)/block)
	for _, s := range segments {
		for b := s.Bytes; len(b) > 0; {
			n := min(len(b), int(block-s.At%block))
			if at := s.At / block; written[at] || bytes.Count(b[:n], []byte{0}) != n {
				copy(space[s.At:], b[:n])
				written[at] = true
			}
			b, s.At = b[n:], s.At+uint64(n)
		}
	}
}

// wholePages rounds up to pages of WebAssembly, which are whole pages of any system too.
func wholePages(size uint64) uint64 { return (size + pageSize - 1) / pageSize * pageSize }
