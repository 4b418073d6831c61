package filesystem

import (
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

// The cases of wasi:filesystem/types.descriptor-type.
const (
	typeUnknown = iota
	typeBlockDevice
	typeCharacterDevice
	typeDirectory
	typeFIFO
	typeSymbolicLink
	typeRegularFile
	typeSocket
)

func typeOf(mode fs.FileMode) component.Value {
	kind := typeUnknown
	switch mode.Type() {
	case 0:
		kind = typeRegularFile
	case fs.ModeDir:
		kind = typeDirectory
	case fs.ModeSymlink:
		kind = typeSymbolicLink
	case fs.ModeNamedPipe:
		kind = typeFIFO
	case fs.ModeSocket:
		kind = typeSocket
	case fs.ModeDevice:
		kind = typeBlockDevice
	case fs.ModeDevice | fs.ModeCharDevice:
		kind = typeCharacterDevice
	}
	return abi.Enum(kind)
}

// getType is [method]descriptor.get-type.
func getType(d *descriptor, _ []component.Value) (component.Value, error) {
	if d.file().IsDir() {
		return abi.Enum(typeDirectory), nil
	}
	return abi.Enum(typeRegularFile), nil
}

// stat is [method]descriptor.stat.
func stat(d *descriptor, _ []component.Value) (component.Value, error) {
	st, err := d.file().Stat()
	return statRecord(st), err
}

// statAt is [method]descriptor.stat-at.
func statAt(d *descriptor, args []component.Value) (component.Value, error) {
	st, err := d.file().StatAt(args[1].String(), follows(args[0]))
	return statRecord(st), err
}

// statRecord is a wasi:filesystem/types.descriptor-stat.
func statRecord(st guestfs.Stat) component.Value {
	return abi.Record(typeOf(st.Mode), abi.U64(st.Links), abi.U64(uint64(st.Size)),
		datetime(st.Accessed), datetime(st.Modified), datetime(st.Changed))
}

// datetime is an option<datetime>: a datetime cannot be before 1970.
func datetime(t time.Time) component.Value {
	if t.Unix() < 0 {
		return abi.None()
	}
	return abi.Some(abi.Record(abi.U64(uint64(t.Unix())), abi.U32(uint32(t.Nanosecond()))))
}

// setTimes is [method]descriptor.set-times.
func setTimes(d *descriptor, args []component.Value) (component.Value, error) {
	accessed, modified, err := newTimes(args)
	if err != nil {
		return component.Value{}, err
	}
	return component.Value{}, d.file().SetTimes(accessed, modified)
}

// setTimesAt is [method]descriptor.set-times-at.
func setTimesAt(d *descriptor, args []component.Value) (component.Value, error) {
	accessed, modified, err := newTimes(args[2:])
	if err != nil {
		return component.Value{}, err
	}
	return component.Value{}, d.file().SetTimesAt(args[1].String(), follows(args[0]), accessed, modified)
}

// The cases of wasi:filesystem/types.new-timestamp.
const (
	noChange = iota
	setNow
	setTimestamp
)

// newTimes reads two new-timestamps.
func newTimes(args []component.Value) (accessed, modified guestfs.NewTime, err error) {
	if accessed, err = newTime(args[0]); err == nil {
		modified, err = newTime(args[1])
	}
	return accessed, modified, err
}

func newTime(v component.Value) (guestfs.NewTime, error) {
	switch v.Case() {
	case setNow:
		return guestfs.Now(), nil
	case setTimestamp:
		seconds, nanoseconds := v.Payload().Field(0).U64(), v.Payload().Field(1).U32()
		if seconds > math.MaxInt64 {
			return guestfs.NewTime{}, unix.EOVERFLOW
		}
		if nanoseconds >= uint32(time.Second) {
			return guestfs.NewTime{}, unix.EINVAL
		}
		return guestfs.At(int64(seconds), int64(nanoseconds)), nil
	}
	return guestfs.NewTime{}, nil
}

// metadataHash is [method]descriptor.metadata-hash.
func metadataHash(d *descriptor, _ []component.Value) (component.Value, error) {
	st, err := d.file().Stat()
	return hashOf(st), err
}

// metadataHashAt is [method]descriptor.metadata-hash-at.
func metadataHashAt(d *descriptor, args []component.Value) (component.Value, error) {
	st, err := d.file().StatAt(args[1].String(), follows(args[0]))
	return hashOf(st), err
}

// hashOf is a wasi:filesystem/types.metadata-hash-value. C libraries make the lower half the inode number, so that says which file it is,
// and the upper half what has become of it.
func hashOf(st guestfs.Stat) component.Value {
	var b []byte
	b = binary.LittleEndian.AppendUint64(b, st.Dev)
	b = binary.LittleEndian.AppendUint64(b, st.Ino)
	which := sha256.Sum256(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(st.Size))
	b = binary.LittleEndian.AppendUint64(b, uint64(st.Modified.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(st.Modified.Nanosecond()))
	state := sha256.Sum256(b)
	return abi.Record(abi.U64(binary.LittleEndian.Uint64(which[:])), abi.U64(binary.LittleEndian.Uint64(state[:])))
}
