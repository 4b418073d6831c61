package instance

import (
	"context"
	"errors"
	"strings"

	"github.com/tetratelabs/wazero/sys"
)

// hostError is what a function of the host panics with to end a guest; wazero makes it the error of the call.
type hostError struct{ err error }

func (e *hostError) Error() string { return "a function of the host failed" }

// ended is how a call of the guest ended, when that was not well.
type ended struct {
	reason string
	stack  string
	cause  error // errStopped, errCallStack or what a function of the host returned; nil when the guest trapped
}

func (e *ended) Error() string { return e.reason }
func (e *ended) Unwrap() error { return e.cause }

// end takes wazero's error apart.
func end(err error) *ended {
	reason, stack := splitTrap(err.Error())
	e := &ended{reason: reason, stack: stack}
	var host *hostError
	switch {
	case errors.As(err, &host):
		e.cause = host.err
		e.reason = cut(strings.Join(strings.Fields(host.err.Error()), " "), maxReason)
		if trap, ok := host.err.(*TrapError); ok {
			e.reason = trap.Reason
		}
		// The function had called the guest, and that ended: its stack stands on ours.
		var inner *ended
		if errors.As(host.err, &inner) && inner.stack != "" {
			e.stack = cut(inner.stack+"\n"+stack, maxStack)
		}
	case errors.Is(err, errStopped):
		e.cause = errStopped
	case errors.Is(err, errCallStack):
		e.reason, e.cause = errCallStack.Error(), errCallStack
	}
	return e
}

// outcome makes of wazero's error of a module's call one of ours.
func outcome(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if exit, ok := err.(*sys.ExitError); ok {
		if exit.ExitCode() == 0 {
			return nil
		}
		return &ExitError{Code: exit.ExitCode()}
	}
	return end(err).outcome(ctx)
}

// outcome is what the caller of the outermost call is told.
func (e *ended) outcome(ctx context.Context) error {
	var exit *ExitError
	switch {
	case errors.As(e.cause, &exit):
		return exit
	case errors.Is(e.cause, errStopped), e.cause != nil && ctx.Err() != nil && errors.Is(e.cause, ctx.Err()):
		return &StopError{Cause: context.Cause(ctx), Stack: e.stack}
	}
	trap := &TrapError{Reason: e.reason, Stack: e.stack}
	if e.cause != errCallStack { // by which the guest itself ended
		trap.Cause = e.cause
	}
	return trap
}
