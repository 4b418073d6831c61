package filesystem

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// The cases of wasi:filesystem/types.error-code.
const (
	codeAccess = iota
	codeWouldBlock
	codeAlready
	codeBadDescriptor
	codeBusy
	codeDeadlock
	codeQuota
	codeExist
	codeFileTooLarge
	codeIllegalByteSequence
	codeInProgress
	codeInterrupted
	codeInvalid
	codeIO
	codeIsDirectory
	codeLoop
	codeTooManyLinks
	codeMessageSize
	codeNameTooLong
	codeNoDevice
	codeNoEntry
	codeNoLock
	codeInsufficientMemory
	codeInsufficientSpace
	codeNotDirectory
	codeNotEmpty
	codeNotRecoverable
	codeUnsupported
	codeNoTTY
	codeNoSuchDevice
	codeOverflow
	codeNotPermitted
	codePipe
	codeReadOnly
	codeInvalidSeek
	codeTextFileBusy
	codeCrossDevice
)

var codes = map[unix.Errno]int{
	unix.EACCES: codeAccess, unix.EAGAIN: codeWouldBlock, unix.EALREADY: codeAlready, unix.EBADF: codeBadDescriptor,
	unix.EBUSY: codeBusy, unix.EDEADLK: codeDeadlock, unix.EDQUOT: codeQuota, unix.EEXIST: codeExist,
	unix.EFBIG: codeFileTooLarge, unix.EILSEQ: codeIllegalByteSequence, unix.EINPROGRESS: codeInProgress,
	unix.EINTR: codeInterrupted, unix.EINVAL: codeInvalid, unix.EIO: codeIO, unix.EISDIR: codeIsDirectory,
	unix.ELOOP: codeLoop, unix.EMLINK: codeTooManyLinks, unix.EMSGSIZE: codeMessageSize,
	unix.ENAMETOOLONG: codeNameTooLong, unix.ENODEV: codeNoDevice, unix.ENOENT: codeNoEntry, unix.ENOLCK: codeNoLock,
	unix.ENOMEM: codeInsufficientMemory, unix.EMFILE: codeInsufficientMemory, unix.ENFILE: codeInsufficientMemory,
	unix.ENOSPC: codeInsufficientSpace, unix.ENOTDIR: codeNotDirectory, unix.ENOTEMPTY: codeNotEmpty,
	unix.ENOTRECOVERABLE: codeNotRecoverable, unix.ENOTSUP: codeUnsupported, unix.ENOSYS: codeUnsupported,
	unix.ENOTTY: codeNoTTY, unix.EOVERFLOW: codeOverflow, unix.EPERM: codeNotPermitted, unix.EPIPE: codePipe,
	unix.EROFS: codeReadOnly, unix.ESPIPE: codeInvalidSeek, unix.ETXTBSY: codeTextFileBusy, unix.EXDEV: codeCrossDevice,
	unix.ENXIO: codeAccess, // a named pipe that nobody reads, or a socket: these are not for guests to open
}

// codeOf returns the error-code of an error.
func codeOf(err error) int {
	var errno unix.Errno
	switch {
	case errors.As(err, &errno):
		if code, ok := codes[errno]; ok {
			return code
		}
	case errors.Is(err, fs.ErrClosed):
		return codeBadDescriptor
	}
	return codeIO
}

// codeOfStream returns the error-code of a stream's error as an option: none for a stream that is no file's. Standard input may be one.
func codeOfStream(err error) component.Value {
	var (
		ours *streamError
		path *fs.PathError
	)
	if !errors.As(err, &ours) && !errors.As(err, &path) {
		return abi.None()
	}
	return abi.Some(abi.Enum(codeOf(err)))
}
