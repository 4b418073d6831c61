package abi

import "fmt"

// Trap is what a guest did that the canonical ABI forbids. The instance that did it, and every one it had entered, are of no more use.
type Trap struct {
	Reason string
}

// Error is the reason.
func (t *Trap) Error() string { return t.Reason }

func trap(format string, args ...any) error { return &Trap{Reason: fmt.Sprintf(format, args...)} }

// HostError is a mistake of the host: a value that does not have the type it must have, or a call that was not answered.
type HostError struct {
	Reason string
}

// Error is the reason.
func (e *HostError) Error() string { return e.Reason }

func hostError(format string, args ...any) error {
	return &HostError{Reason: fmt.Sprintf(format, args...)}
}
