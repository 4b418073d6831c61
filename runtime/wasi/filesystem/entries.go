package filesystem

import (
	"io"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

// batch is how many entries of a directory are read at once. A directory may have millions.
const batch = 128

// entries is the resource wasi:filesystem/types.directory-entry-stream.
type entries struct {
	handle *handle // with a position of its own
	next   []guestfs.Entry
}

// readDirectory is [method]descriptor.read-directory.
func readDirectory(d *descriptor, _ []component.Value) (component.Value, error) {
	h, err := d.guest.openFile(d.file(), ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return component.Value{}, err
	}
	return abi.Resource(&entries{handle: h}), nil
}

// readDirectoryEntry is [method]directory-entry-stream.read-directory-entry.
func readDirectoryEntry(_ *component.Call, args []component.Value) (component.Value, error) {
	return result(args[0].Resource().(*entries).read())
}

// read returns the next entry, none at the end. After an error it goes on with the one behind.
func (e *entries) read() (component.Value, error) {
	if len(e.next) == 0 {
		var err error
		e.next, err = e.handle.file.ReadDir(batch)
		if err == io.EOF {
			return abi.None(), nil
		}
		if err != nil && len(e.next) == 0 {
			return component.Value{}, err
		}
	}
	entry := e.next[0]
	e.next = e.next[1:]
	if !utf8.ValidString(entry.Name) {
		return component.Value{}, unix.EILSEQ
	}
	return abi.Some(abi.Record(typeOf(entry.Type), abi.String(entry.Name))), nil
}
