package instance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// What Load refuses. The errors wrap one of these and say what the user can do.
var (
	ErrEmpty         = errors.New("the file is empty")
	ErrNotWasm       = errors.New("not a WebAssembly module")
	ErrComponent     = errors.New("a component, and not a core module")
	ErrMalformed     = errors.New("malformed module")
	ErrImport        = errors.New("unknown import")
	ErrMemory        = errors.New("too much memory")
	ErrNoStart       = errors.New("no _start function")
	ErrStartFunction = errors.New("the start function failed")
)

// ErrBudget says that all live instances together have no room for one more. It may have passed a moment later.
var ErrBudget = errors.New("no memory left for another instance")

// ErrStopped says that the context ended before the guest did. The error that wraps it wraps the context's cause too.
var ErrStopped = errors.New("instance stopped")

// ExitError is a guest that ended itself with another code than 0.
type ExitError struct {
	Code uint32
}

func (e *ExitError) Error() string { return fmt.Sprintf("the guest exited with code %d", e.Code) }

// TrapError is a guest that did what WebAssembly forbids.
type TrapError struct {
	Reason string // what it did: "out of bounds memory access"
	Stack  string // the functions it was in, innermost first, a line each; bounded, may be empty
	Cause  error  // why a function of the host ended it; nil when it was the guest alone
}

func (e *TrapError) Error() string { return "the guest trapped: " + e.Reason }
func (e *TrapError) Unwrap() error { return e.Cause }

// StopError is a guest that was running still when its context ended. It wraps ErrStopped and the context's cause.
type StopError struct {
	Cause error
	Stack string // as in TrapError: where it was
}

func (e *StopError) Error() string   { return fmt.Sprintf("%v: %v", ErrStopped, e.Cause) }
func (e *StopError) Unwrap() []error { return []error{ErrStopped, e.Cause} }

const (
	maxReason = 1 << 10 // bytes of TrapError.Reason
	maxStack  = 8 << 10 // bytes of a stack: names come from the module, which may have made them long
)

// splitTrap takes apart the text that wazero makes of a guest's end: the reason, then the stack.
func splitTrap(text string) (reason, stack string) {
	// A fault in a host function has the stack of Go behind the guest's, for us and not for the guest's author.
	text, _, _ = strings.Cut(text, "\n\nGo runtime stack trace:")
	reason, stack, _ = strings.Cut(text, "\nwasm stack trace:\n")
	reason = strings.TrimPrefix(reason, "wasm error: ")
	first, _, _ := strings.Cut(stack, "(")
	if trap := weave.Trap(first); trap != "" {
		reason = trap
	}
	if host, ok := strings.CutSuffix(reason, " (recovered by wazero)"); ok {
		reason = "a function of the host failed: " + host
	}
	var lines strings.Builder
	for line := range strings.Lines(stack) {
		// The name of the module stands before the dot, if it has one.
		line = strings.TrimLeft(line, "\t.")
		if name, _, _ := strings.Cut(line, "("); weave.Added(name) || name == weave.HostModule+"."+weave.YieldName {
			continue
		}
		lines.WriteString(line)
		if lines.Len() > maxStack {
			break
		}
	}
	return cut(reason, maxReason), strings.TrimRight(cut(lines.String(), maxStack), "\n")
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
