package filesystem

import (
	"math"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// descriptor is the resource wasi:filesystem/types.descriptor.
type descriptor struct {
	guest  *Guest
	handle *handle
	flags  descriptorFlags
}

// descriptorFlags is wasi:filesystem/types.descriptor-flags.
type descriptorFlags uint64

const (
	flagRead descriptorFlags = 1 << iota
	flagWrite
	flagFileIntegritySync
	flagDataIntegritySync
	flagRequestedWriteSync
	flagMutateDirectory
)

var _ component.Renewable = (*descriptor)(nil)

// Renew implements component.Renewable, for a directory that guests have from the start: nothing can be done to such a descriptor that the next
// who asks sees, and all guests of the same files have it. What a guest has opened by itself is its own.
func (d *descriptor) Renew(state any) (component.Value, bool) {
	if d.handle.guest != nil {
		return component.Value{}, false
	}
	return state.(State).Filesystem().again(d.file())
}

func descriptorOf(v component.Value) *descriptor { return v.Resource().(*descriptor) }

func (d *descriptor) file() *guestfs.File { return d.handle.file }

// regular returns the file, if it is none that has entries instead of bytes.
func (d *descriptor) regular() (*guestfs.File, error) {
	if d.file().IsDir() {
		return nil, unix.EBADF
	}
	return d.file(), nil
}

// readable returns the file, if the guest may read it.
func (d *descriptor) readable() (*guestfs.File, error) {
	switch {
	case d.file().IsDir():
		return nil, unix.EISDIR
	case d.flags&flagRead == 0:
		return nil, unix.EBADF
	}
	return d.file(), nil
}

// writable returns the file, if the guest may write it.
func (d *descriptor) writable() (*guestfs.File, error) {
	switch {
	case d.file().ReadOnly():
		return nil, unix.EROFS
	case d.file().IsDir() || d.flags&flagWrite == 0:
		return nil, unix.EBADF
	}
	return d.file(), nil
}

// offset is a filesize as the system takes it.
func offset(n uint64) (int64, error) {
	if n > math.MaxInt64 {
		return 0, unix.EINVAL
	}
	return int64(n), nil
}

// readViaStream is [method]descriptor.read-via-stream.
func readViaStream(d *descriptor, args []component.Value) (component.Value, error) {
	if _, err := d.readable(); err != nil {
		return component.Value{}, err
	}
	at, err := offset(args[0].U64())
	if err != nil {
		return component.Value{}, err
	}
	return wasiio.NewInput(&reader{handle: d.handle.retain(), at: at}), nil
}

// writeViaStream is [method]descriptor.write-via-stream.
func writeViaStream(d *descriptor, args []component.Value) (component.Value, error) {
	if _, err := d.writable(); err != nil {
		return component.Value{}, err
	}
	at, err := offset(args[0].U64())
	if err != nil {
		return component.Value{}, err
	}
	return wasiio.NewOutput(&writer{handle: d.handle.retain(), at: at}), nil
}

// appendViaStream is [method]descriptor.append-via-stream.
func appendViaStream(d *descriptor, _ []component.Value) (component.Value, error) {
	if _, err := d.writable(); err != nil {
		return component.Value{}, err
	}
	return wasiio.NewOutput(&writer{handle: d.handle.retain(), append: true}), nil
}

// read is [method]descriptor.read.
func read(d *descriptor, args []component.Value) (component.Value, error) {
	f, err := d.readable()
	if err != nil {
		return component.Value{}, err
	}
	length := args[0].U64()
	at, err := offset(args[1].U64())
	if err != nil {
		return component.Value{}, err
	}
	b, err := readAt(f, length, at)
	if err != nil {
		return component.Value{}, err
	}
	return abi.Tuple(abi.Bytes(b), abi.Bool(len(b) == 0 && length > 0)), nil
}

// write is [method]descriptor.write.
func write(d *descriptor, args []component.Value) (component.Value, error) {
	f, err := d.writable()
	if err != nil {
		return component.Value{}, err
	}
	at, err := offset(args[1].U64())
	if err != nil {
		return component.Value{}, err
	}
	n, err := f.WriteAt(args[0].Bytes(), at)
	if n == 0 && err != nil {
		return component.Value{}, err
	}
	return abi.U64(uint64(n)), nil
}

// advise is [method]descriptor.advise.
func advise(d *descriptor, args []component.Value) (component.Value, error) {
	f, err := d.regular()
	if err != nil {
		return component.Value{}, err
	}
	at, err := offset(args[0].U64())
	if err != nil {
		return component.Value{}, err
	}
	length, err := offset(args[1].U64())
	if err != nil {
		return component.Value{}, err
	}
	// The cases of wasi:filesystem/types.advice are those of guestfs.
	return component.Value{}, f.Advise(at, length, guestfs.Advice(args[2].Case()))
}

// setSize is [method]descriptor.set-size.
func setSize(d *descriptor, args []component.Value) (component.Value, error) {
	f, err := d.regular()
	if err != nil {
		return component.Value{}, err
	}
	size, err := offset(args[0].U64())
	if err != nil {
		return component.Value{}, err
	}
	return component.Value{}, f.Truncate(size)
}

// sync is [method]descriptor.sync.
func sync(d *descriptor, _ []component.Value) (component.Value, error) {
	return component.Value{}, d.file().Sync()
}

// syncData is [method]descriptor.sync-data.
func syncData(d *descriptor, _ []component.Value) (component.Value, error) {
	return component.Value{}, d.file().SyncData()
}

// getFlags is [method]descriptor.get-flags.
func getFlags(d *descriptor, _ []component.Value) (component.Value, error) {
	return abi.Flags(uint64(d.flags)), nil
}

// isSameObject is [method]descriptor.is-same-object.
func isSameObject(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.Bool(descriptorOf(args[0]).file().Same(descriptorOf(args[1]).file())), nil
}
