package instance

import (
	"errors"
	"reflect"

	"github.com/tetratelabs/wazero/api"
)

// maxCallStack bounds the call stack of an instance, in bytes. wazero lets it grow to 100 MB before it stops the guest, and the stack is
// on the heap of the engine, where no budget counts it: a few requests that recurse would exhaust a small container.
//
// The bound is looked at when the guest yields, so a stack can exceed it by what the calls of a millisecond take, and it has doubled by
// then. When a function of the host calls the guest again that has a stack of its own; the bound is for all of them.
const maxCallStack = 12 << 20

var errCallStack = errors.New("stack overflow")

// callStack looks at the size of the call stack of a function that runs.
type callStack struct {
	field reflect.Value // a slice; invalid when wazero has changed
}

// newCallStack finds the stack in wazero's call engine, which has no name for it that we could use. Were the field to change its name,
// wazero's own bound would remain; a test sees to it that this is noticed.
func newCallStack(f api.Function) callStack {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return callStack{}
	}
	field := v.Elem().FieldByName("stack")
	if field.Kind() != reflect.Slice {
		return callStack{}
	}
	return callStack{field}
}

// size may be called by a function of the host only, while the guest waits for it.
func (s callStack) size() int {
	if !s.field.IsValid() {
		return 0
	}
	return s.field.Len() * int(s.field.Type().Elem().Size())
}
