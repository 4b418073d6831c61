package wasiio

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// failure is the resource wasi:io/error.error.
type failure struct{ err error }

// NewError returns a handle of wasi:io/error.error.
func NewError(err error) component.Value { return abi.Resource(&failure{err}) }

// ErrorOf returns what NewError made a handle of: for the functions that turn an error into a code of their own package.
func ErrorOf(v component.Value) error { return v.Resource().(*failure).err }

// The cases of wasi:io/streams.stream-error.
const (
	lastOperationFailed = iota
	closed
)

func streamError(err error) component.Value {
	if err == io.EOF || errors.Is(err, ErrClosed) {
		return abi.Enum(closed)
	}
	return abi.Variant(lastOperationFailed, NewError(err))
}

// toDebugString is wasi:io/error.[method]error.to-debug-string.
func toDebugString(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.String(describe(ErrorOf(args[0]))), nil
}

const maxDescription = 1 << 10 // bytes

// describe says what went wrong, but not with what of the host's: paths and addresses as the host sees them are not the guest's affair.
func describe(err error) string {
	var (
		path *fs.PathError
		link *os.LinkError
		call *os.SyscallError
		op   *net.OpError
	)
	switch {
	case errors.As(err, &op):
		return describe(op.Err)
	case errors.As(err, &path):
		return describe(path.Err)
	case errors.As(err, &link):
		return describe(link.Err)
	case errors.As(err, &call):
		return describe(call.Err)
	}
	text := err.Error()
	if len(text) > maxDescription {
		text = text[:maxDescription]
	}
	return strings.ToValidUTF8(text, "")
}
