package binary

import (
	"errors"
	"fmt"
)

// ErrUnsupported is matched by an *Error about something that the specification has and mayfly has not.
var ErrUnsupported = errors.New("not supported")

// Error is a component that could not be taken apart.
type Error struct {
	Offset      int    // in the file
	Section     string // "type"; empty outside of sections
	Reason      string
	Limit       bool // it may be a good component, but exceeds a limit of ours
	Unsupported bool // it may be a good component, but needs something that mayfly has not
}

// Error says where and what.
func (e *Error) Error() string {
	if e.Section == "" {
		return fmt.Sprintf("at byte %#x: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("at byte %#x, in the %s section: %s", e.Offset, e.Section, e.Reason)
}

// Is reports that an error about something unsupported is ErrUnsupported.
func (e *Error) Is(target error) bool { return target == ErrUnsupported && e.Unsupported }
