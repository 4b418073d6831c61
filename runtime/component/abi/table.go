package abi

import "github.com/mayfly-run/mayfly/runtime/component/types"

// maxHandles bounds the tables of an instance and of all that are in it. The specification lets one table have 1<<28 - 1 entries, and a
// guest could fill it; an entry has 56 bytes, and the host's resource behind it some hundred.
const maxHandles = 1 << 16

// ResourceHandle is an entry of a handle table: an own or borrow handle of a resource. Canonical ABI, "Resource State".
type ResourceHandle struct {
	rt          *types.Resource // nil: the entry is free
	rep         Value
	borrowScope *Task // of a borrow handle: the call that must drop it before it returns
	numLends    uint32
	own         bool
	nextFree    uint32 // of a free entry; 0: it is the last
}

// Table holds the handles of a component instance, by index. Index 0 is never used. Canonical ABI, "Table State".
//
// The specification's table holds waitables as well, once there are any.
type Table struct {
	array []ResourceHandle
	free  uint32 // the entry that was freed last; 0: none
	made  *int   // entries of this table and of those that are bounded together with it
}

func (t *Table) get(i uint32) (*ResourceHandle, error) {
	if i == 0 || uint64(i) >= uint64(len(t.array)) || t.array[i].rt == nil {
		return nil, trap("unknown handle index %d", i)
	}
	return &t.array[i], nil
}

func (t *Table) add(h ResourceHandle) (uint32, error) {
	if i := t.free; i != 0 {
		t.free = t.array[i].nextFree
		t.array[i] = h
		return i, nil
	}
	if len(t.array) == 0 {
		t.array = append(t.array, ResourceHandle{})
	}
	if *t.made >= maxHandles {
		return 0, trap("more than %d handles in an instance: drop those that are no longer used", maxHandles)
	}
	*t.made++
	t.array = append(t.array, h)
	return uint32(len(t.array) - 1), nil
}

// remove frees an entry that get has found.
func (t *Table) remove(i uint32) {
	t.array[i] = ResourceHandle{nextFree: t.free}
	t.free = i
}

// reset removes all entries.
func (t *Table) reset() {
	t.array, t.free = emptied(t.array), 0
}
