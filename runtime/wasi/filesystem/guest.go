package filesystem

import (
	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

// maxOpen is how many files and directories a guest may have open. WASI has no code for a guest that has too many: insufficient-memory.
const maxOpen = 1024

// Guest is the files of one instance, and what it has open of them. It belongs to the goroutine that runs the instance.
type Guest struct {
	files *guestfs.Files
	open  map[*handle]struct{}
}

// NewGuest returns an instance's view of files; files may be nil: none.
func NewGuest(files *guestfs.Files) *Guest { return &Guest{files: files} }

// Close closes what the instance has left open. It is called after the instance's end; once more does no harm.
func (g *Guest) Close() {
	for h := range g.open {
		h.references = 1
		h.release()
	}
}

// directories returns the guest's preopens as a list<tuple<descriptor, string>>.
func (g *Guest) directories() component.Value {
	if g == nil || g.files == nil {
		return abi.List()
	}
	var list []component.Value
	for n, p := range g.files.Preopens() {
		list = append(list, abi.Tuple(g.preopen(n), abi.String(p.Path)))
	}
	return abi.List(list...)
}

// preopen returns a descriptor of the guest's nth preopen.
func (g *Guest) preopen(n int) component.Value {
	dir := g.files.Preopens()[n].Dir
	flags := flagRead
	if !dir.ReadOnly() {
		flags |= flagMutateDirectory
	}
	// Not the guest's handle: the directory is open as long as the files are.
	return abi.Resource(&descriptor{guest: g, handle: &handle{file: dir, references: 1}, flags: flags})
}

// again returns the guest's descriptor of a preopen that another guest has; false where it has no such directory.
func (g *Guest) again(dir *guestfs.File) (component.Value, bool) {
	if g == nil || g.files == nil {
		return component.Value{}, false
	}
	for n, p := range g.files.Preopens() {
		if p.Dir == dir {
			return g.preopen(n), true
		}
	}
	return component.Value{}, false
}

// openFile opens a file below a directory for the guest.
func (g *Guest) openFile(dir *guestfs.File, path string, flag int) (*handle, error) {
	if len(g.open) >= maxOpen {
		return nil, unix.EMFILE
	}
	f, err := dir.OpenAt(path, flag, guestfs.NewFile)
	if err != nil {
		return nil, err
	}
	h := &handle{guest: g, file: f, references: 1}
	if g.open == nil {
		g.open = map[*handle]struct{}{}
	}
	g.open[h] = struct{}{}
	return h, nil
}

// handle is an open file with all that use it: a descriptor, and the streams made of it, which may outlive that.
type handle struct {
	guest      *Guest // nil when the file is not the guest's own
	file       *guestfs.File
	references int
}

func (h *handle) retain() *handle {
	h.references++
	return h
}

func (h *handle) release() {
	if h.references--; h.references != 0 || h.guest == nil {
		return
	}
	delete(h.guest.open, h)
	// What was written is the system's already; a guest that wants to know more calls sync.
	_ = h.file.Close()
}
