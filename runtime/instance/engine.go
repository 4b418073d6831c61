package instance

import (
	"reflect"
	"strings"
	"sync"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
)

const (
	// maxKeptStack bounds the call stack of an engine that is kept for other calls, in bytes.
	maxKeptStack = 64 << 10
	// maxKeptNesting is how deep calls within calls use such engines: the bound of all stacks together counts them whole.
	maxKeptNesting = 8
)

// engine is what wazero runs the calls of a function with, one at a time. It has a call stack and room for registers, 12 KB: to make one for
// each function of each instance took a third of a small request.
//
// Of the instance that it was made for it knows one pointer. So it is kept for the next one, whose pointer it is given: see movable. What
// another call left on the stack no guest can read: compiled code reads there what it has written.
type engine struct {
	function api.Function
	stack    callStack
	home     *unsafe.Pointer // the pointer; nil: it cannot be given another
	word     uintptr         // where in a module instance the pointer stands
}

// engines are those of a function that are not in use.
type engines struct {
	pool sync.Pool // of *engine
}

// take returns an engine for a call of an instance's export, within so many others; nil if it exports no such function.
func (p *engines) take(core api.Module, export string, nesting int) *engine {
	if nesting <= maxKeptNesting {
		if e, ok := p.pool.Get().(*engine); ok {
			*e.home = wordAt(core, e.word)
			return e
		}
	}
	function := core.ExportedFunction(export)
	if function == nil {
		return nil
	}
	e := &engine{function: function, stack: newCallStack(function)}
	e.home, e.word = home(core, function)
	return e
}

// give takes an engine back after a call that ended well.
func (p *engines) give(e *engine) {
	if e.home == nil || e.stack.size() > maxKeptStack {
		return
	}
	*e.home = nil // nothing of the instance is kept
	p.pool.Put(e)
}

// movable are the fields of wazero's engine when this was written. What it was made for stands in parent, what the module was compiled to in
// executable and preambleExecutable; the others are set by each call, or are the same for all. In another version that may be otherwise:
// then engines are not kept, and a test says so.
const movable = "stack stackTop executable preambleExecutable parent indexInModule sizeOfParamResultSlice requiredParams execCtx " +
	"execCtxPtr numberOfResults stackIteratorImpl tryHandlers pendingException"

// home finds the pointer by which a function knows its instance, and where the instance has it; nil where that is not what is expected. A
// function that core has imported and exports again knows another instance.
func home(core api.Module, function api.Function) (*unsafe.Pointer, uintptr) {
	f, m := reflect.ValueOf(function), reflect.ValueOf(core)
	if f.Kind() != reflect.Pointer || f.Elem().Kind() != reflect.Struct || m.Kind() != reflect.Pointer || m.Elem().Kind() != reflect.Struct {
		return nil, 0
	}
	f, m = f.Elem(), m.Elem()
	var names []string
	for i := range f.NumField() {
		if name := f.Type().Field(i).Name; name != "WazeroOnly" {
			names = append(names, name)
		}
	}
	parent, known := f.Type().FieldByName("parent")
	own, ok := m.Type().FieldByName("Engine")
	switch {
	case strings.Join(names, " ") != movable || !known || !ok || own.Type.Kind() != reflect.Interface,
		m.FieldByIndex(own.Index).Elem().Type() != parent.Type:
		return nil, 0
	}
	const interfaceData = unsafe.Sizeof(uintptr(0)) // behind the word that tells the type
	at, word := (*unsafe.Pointer)(unsafe.Add(f.Addr().UnsafePointer(), parent.Offset)), own.Offset+interfaceData
	if *at != wordAt(core, word) {
		return nil, 0
	}
	return at, word
}

// wordAt reads a pointer in a module instance.
func wordAt(core api.Module, offset uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(reflect.ValueOf(core).UnsafePointer(), offset))
}
