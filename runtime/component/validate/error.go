package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
)

// Error is a component that is not valid.
type Error struct {
	Offset      int // of the definition in the file
	Reason      string
	Limit       bool // it may be valid, but exceeds a limit of ours
	Unsupported bool // it may be valid, but needs something that mayfly has not
}

// Error says where and what.
func (e *Error) Error() string { return fmt.Sprintf("at byte %#x: %s", e.Offset, e.Reason) }

// Is reports that an error about something unsupported is [binary.ErrUnsupported].
func (e *Error) Is(target error) bool { return target == binary.ErrUnsupported && e.Unsupported }

// limited is why something exceeds a limit.
type limited struct{ reason string }

func (l limited) Error() string { return l.reason }

// unsupported is why something cannot be run, valid or not.
type unsupported struct{ reason string }

func (u unsupported) Error() string { return u.reason }

// at makes an *Error of the reason why a definition is not valid.
func at(d binary.Definition, err error) error {
	var l limited
	var u unsupported
	return &Error{Offset: d.At(), Reason: err.Error(), Limit: errors.As(err, &l), Unsupported: errors.As(err, &u)}
}
