package abi

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// Encoding is how strings are in the memory of a core module.
type Encoding uint8

// The encodings that canonical options name.
const (
	UTF8 Encoding = iota
	UTF16
	Latin1UTF16
)

// Options are those of a canonical definition that are known when a component is loaded. Canonical ABI, "Canonical ABI Options".
type Options struct {
	Encoding Encoding
}

// Core is what the other options of a canonical definition name, in a core instance.
type Core interface {
	// Memory is the memory's bytes as they are now; nil if the definition names none. It is asked for again after each Realloc.
	Memory() []byte
	// Realloc calls the guest's function.
	Realloc(old, oldSize, align, size uint32) (uint32, error)
}

// maxLift bounds what the arguments or the result of one call may take of the host's memory. The guest's own memory does not: lists in
// a list may all be at the same address.
const maxLift = 64 << 20

// Up to freeLift nobody is asked whether there is room, and then for room for so many bytes more each time.
const freeLift = 1 << 20

// valueSize is what a Value takes.
const valueSize = 24

// LiftLowerContext is what lifting and lowering need to know of the instance and the call. Canonical ABI, "Lifting and Lowering
// Context".
type LiftLowerContext struct {
	opts    Options
	core    Core
	inst    *ComponentInstance
	task    *Task    // the borrow scope of a lowering
	subtask *Subtask // the borrow scope of a lifting

	mem     []byte      // valid until the guest runs
	room    int         // what may still be lifted, in bytes
	counted int         // of what was lifted, in bytes, there was asked whether there is room
	arena   []Value     // for records and payloads: they are small, and come in numbers
	ahead   int         // how many values are likely still to come
	lifted  []ownHandle // own handles that have left the table
	lowered int         // own handles that have got into the table
}

func (cx *LiftLowerContext) init(opts Options, core Core, inst *ComponentInstance) {
	cx.opts, cx.core, cx.inst = opts, core, inst
}

func (cx *LiftLowerContext) reset() {
	cx.giveRoom()
	*cx = LiftLowerContext{lifted: emptied(cx.lifted)}
}

// fetch looks where the memory is now.
func (cx *LiftLowerContext) fetch() {
	cx.mem = nil
	if cx.core != nil {
		cx.mem = cx.core.Memory()
	}
}

// reallocate calls the guest's realloc, and checks what it returns. Canonical ABI, LiftLowerContext.reallocate.
func (cx *LiftLowerContext) reallocate(old, oldSize, align, size uint32) (uint32, error) {
	if cx.core == nil {
		return 0, hostError("a value needs memory, and there is none: validation requires one")
	}
	cx.inst.mayLeave = false
	ptr, err := cx.core.Realloc(old, oldSize, align, size)
	if err != nil {
		return 0, fmt.Errorf("realloc: %w", err)
	}
	cx.inst.mayLeave = true
	cx.fetch()
	if err := cx.check("realloc return", ptr, uint64(size), align); err != nil {
		return 0, err
	}
	return ptr, nil
}

func (cx *LiftLowerContext) allocate(align, size uint32) (uint32, error) {
	return cx.reallocate(0, 0, align, size)
}

// check tests that what is at ptr is aligned and in memory.
func (cx *LiftLowerContext) check(what string, ptr uint32, size uint64, align uint32) error {
	if ptr&(align-1) != 0 {
		return trap("%s: unaligned pointer 0x%x: must be a multiple of %d", what, ptr, align)
	}
	if uint64(ptr)+size > uint64(len(cx.mem)) {
		return trap("%s content out-of-bounds: 0x%x + %d bytes, and memory has %d", what, ptr, size, len(cx.mem))
	}
	return nil
}

// take counts what is lifted.
func (cx *LiftLowerContext) take(bytes uint64) error {
	if bytes > uint64(cx.room) {
		return trap("a call passes more than %d MiB of values: pass them in parts", maxLift>>20)
	}
	cx.room -= int(bytes)
	for maxLift-cx.room > freeLift+cx.counted {
		if cx.inst.room != nil && !cx.inst.room(freeLift) {
			return trap("a call passes large values, and there is no memory for them: raise the container's memory limit, or pass them in parts")
		}
		cx.counted += freeLift
	}
	return nil
}

// giveRoom gives back what was counted.
func (cx *LiftLowerContext) giveRoom() {
	if cx.counted > 0 && cx.inst.room != nil {
		cx.inst.room(-cx.counted)
	}
	cx.counted = 0
}

// maxAhead is for how many values memory is taken at a time before it is known that they are there. As one value that is still in use keeps
// the others, the next call starts with an arena of its own.
const maxAhead = 64

// values makes room for values that are lifted.
func (cx *LiftLowerContext) values(n int) ([]Value, error) {
	if err := cx.take(uint64(n) * valueSize); err != nil {
		return nil, err
	}
	if n > len(cx.arena) {
		cx.arena = make([]Value, max(n, min(cx.ahead, maxAhead)))
	}
	vs := cx.arena[:n:n]
	cx.arena = cx.arena[n:]
	cx.ahead -= n
	return vs, nil
}

// lose keeps the own handles that were lifted for a call that has failed, for Close to find.
func (cx *LiftLowerContext) lose() {
	cx.inst.lost = append(cx.inst.lost, cx.lifted...)
}

// loseRest keeps the own handles in a value that could not be lowered whole, without the first that were, for Close to find.
func (cx *LiftLowerContext) loseRest(v Value, t *layout) {
	if !t.owns {
		return
	}
	switch t.kind {
	case types.Own:
		if cx.lowered > 0 {
			cx.lowered--
			return
		}
		if checkResource(v, t.resource) != nil {
			return
		}
		cx.inst.lost = append(cx.inst.lost, ownHandle{t.resource, v})
	case types.Record:
		for i, e := range v.List() {
			if i < len(t.fields) {
				cx.loseRest(e, t.fields[i].layout)
			}
		}
	case types.List:
		for _, e := range v.List() {
			cx.loseRest(e, t.elem)
		}
	case types.Variant:
		if c := v.bits; c < uint64(len(t.cases)) && t.cases[c] != nil {
			cx.loseRest(v.Payload(), t.cases[c])
		}
	}
}
