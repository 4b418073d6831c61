package abi

import (
	"slices"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// ComponentInstance is what the canonical ABI knows of a component instance: its handles, and whether it may be entered and left.
// Canonical ABI, "Component Instances".
//
// An instance, and all that it calls, is used by one goroutine at a time.
type ComponentInstance struct {
	id       int
	parent   *ComponentInstance
	handles  Table
	entries  int // of the root: in all tables, its own and those of the instances in it
	mayEnter bool
	mayLeave bool
	room     func(bytes int) bool // nil: none is counted

	// What a call needs is kept for the next one. Calls are nested, so the one that ended last is the next.
	tasks    *Task
	subtasks *Subtask

	lost []ownHandle // own handles that were on their way when a call failed: nobody has them
}

// ownHandle is an own handle outside of a table.
type ownHandle struct {
	rt  *types.Resource
	rep Value
}

// Init makes an instance new, also one that was in use before. id is the number by which types.Resource.Owner names the instance; parent
// is the instance of the component that it is nested in, nil for the root.
func (i *ComponentInstance) Init(id int, parent *ComponentInstance) {
	i.id, i.parent = id, parent
	i.handles.reset()
	i.entries = 0
	i.handles.made = &i.entries
	if parent != nil {
		i.handles.made = parent.handles.made
	}
	i.mayEnter, i.mayLeave = true, true
	i.lost = emptied(i.lost)
}

// Count has the room for large values counted: take is called with how many bytes of the host's memory a call needs, and with as many
// below zero when it has ended. When it returns false the call traps.
func (i *ComponentInstance) Count(take func(bytes int) bool) { i.room = take }

// Close empties the handle table at the end of an instance. It calls drop for each resource that the instance owned, the latest first,
// for they may be parts of earlier ones. Destructors of components do not run then, but the host has resources to give back.
func (i *ComponentInstance) Close(drop func(rt *types.Resource, v Value)) {
	for _, h := range i.lost {
		drop(h.rt, h.rep)
	}
	for _, h := range slices.Backward(i.handles.array) {
		if h.rt != nil && h.own {
			drop(h.rt, h.rep)
		}
	}
	i.handles.reset()
	i.lost = emptied(i.lost)
}

// emptied is a slice to append to, with the room that it has if that is not much: what one guest made large is not kept for others.
func emptied[E any](s []E) []E {
	const keep = 256
	if cap(s) > keep {
		return nil
	}
	clear(s)
	return s[:0]
}

// The set of instances that a call enters is the instance that is called and its ancestors, without the caller and its
// ancestors: in those, execution is already. Canonical ABI, entering_set. The caller is nil where it is the host.

func (i *ComponentInstance) mayEnterFrom(caller *ComponentInstance) bool {
	for e := i; e != nil && !e.contains(caller); e = e.parent {
		if !e.mayEnter {
			return false
		}
	}
	return true
}

func (i *ComponentInstance) enterFrom(caller *ComponentInstance) { i.setMayEnter(caller, false) }

func (i *ComponentInstance) leaveTo(caller *ComponentInstance) { i.setMayEnter(caller, true) }

func (i *ComponentInstance) setMayEnter(caller *ComponentInstance, may bool) {
	for e := i; e != nil && !e.contains(caller); e = e.parent {
		e.mayEnter = may
	}
}

// related reports whether one of the two is the other, or within it. Such calls trap for now: by the text of the specification they might
// return, but its script trap-on-reenter.wast has them trap, as engines do, and nothing that tools make needs them. A destructor may be
// called so, by the instance that defines it.
func (i *ComponentInstance) related(o *ComponentInstance) bool {
	return i != nil && (i.contains(o) || o.contains(i))
}

// contains reports whether o is the instance or nested in it, however deep.
func (i *ComponentInstance) contains(o *ComponentInstance) bool {
	for ; o != nil; o = o.parent {
		if o == i {
			return true
		}
	}
	return false
}

// enter begins a call, unless it would enter an instance again that is not back from another. Canonical ABI, Store.lift.
func (i *ComponentInstance) enter(caller *ComponentInstance) error {
	if !i.mayEnterFrom(caller) {
		return trap("cannot enter component instance: a call into it has not returned, or has trapped")
	}
	i.enterFrom(caller)
	return nil
}
