package instance

import (
	"fmt"

	"github.com/tetratelabs/wazero/experimental"
)

const pageSize = 1 << 16 // of WebAssembly

// demand is what instances of a module or a group take.
type demand struct {
	initialMemory uint64 // bytes, of all linear memories together
	heap          uint64 // what an instance needs of Go's heap, in bytes
	stock         *stock // where the memories come from; nil: there are none
	appetite      appetite
}

// Footprint is what an instance takes of memory from the start, in bytes: its linear memory, and where that is limited its
// part of Go's heap.
func (d *demand) Footprint() uint64 { return d.initialMemory + d.heap }

// memories are the linear memories of one instance, and what the budget has been charged with for them.
//
// wazero frees a memory as soon as its module is closed, which a guest brings about by calling proc_exit, while it runs. A slot that
// went to another instance at that point would be one the guest could still write to if a host function were on the way. So Free
// does nothing, and the instance's owner calls release when nothing of the guest runs any more.
type memories struct {
	runtime *Runtime // nil: nothing is reserved
	demand  *demand
	stock   *stock // where the slots are from
	size    uint64 // of all of them
	charged uint64 // to the budget, for linear memory
	heap    uint64 // the same for Go's heap
	host    uint64 // the same for what functions of the host need while they run
	given   int    // to wazero
	all     []memory
	one     [1]memory // what all is when there is one
}

// memory is a slot, and how much of it the guest has.
type memory struct {
	memories *memories
	slot     slot // nil: given back
	size     uint64
	begins   uint64 // what size is at first, at least
}

var (
	_ experimental.MemoryAllocator = (*memories)(nil)
	_ experimental.LinearMemory    = (*memory)(nil)
)

// reserve takes a slot for each memory, and takes from the budget what the instance is expected to need, so that neither Allocate nor the first
// Reallocate can fail: wazero would panic. Where nothing else is alive its first bytes are enough.
func (m *memories) reserve(r *Runtime, d *demand) error {
	*m = memories{runtime: r, demand: d, stock: d.stock}
	if d.stock != nil {
		if err := m.takeSlots(d.stock.pools); err != nil {
			m.release(false)
			return err
		}
	}
	b, first, heap := &r.budget, d.initialMemory, d.heap
	charged := d.appetite.expected(first)
	if !b.take(charged + heap) {
		charged = first
		if !b.takeAlone(charged + heap) {
			m.release(false)
			return fmt.Errorf("%w: it needs %s, all others have %s of %s: raise the container's memory limit, or lower MAYFLY_MAX_INSTANCES",
				ErrBudget, inUnits(first+heap), inUnits(b.used.Load()), inUnits(b.limit.Load()))
		}
	}
	m.charged, m.heap = charged, heap
	return nil
}

// takeSlots is the first step: what an idle slot is charged with is part of what the instance will be.
func (m *memories) takeSlots(pools []pool) error {
	if len(pools) <= len(m.one) {
		m.all = m.one[:0]
	} else {
		m.all = make([]memory, 0, len(pools))
	}
	for k := range pools {
		s, err := pools[k].get()
		if err != nil {
			return err
		}
		m.all = append(m.all, memory{memories: m, slot: s, begins: pools[k].begins})
	}
	return nil
}

// Allocate implements experimental.MemoryAllocator. There is one slot for each memory.
func (m *memories) Allocate(_, _ uint64) experimental.LinearMemory {
	m.given++
	return &m.all[m.given-1]
}

// Reallocate implements experimental.LinearMemory; nil makes memory.grow answer -1.
func (m *memory) Reallocate(size uint64) []byte {
	all := m.memories
	if m.size == 0 {
		size = max(size, m.begins)
	}
	total := all.size - m.size + size
	if size < m.size || total > all.runtime.limits.Memory {
		return nil
	}
	if total > all.charged {
		if !all.runtime.budget.take(total - all.charged) {
			return nil
		}
		all.charged = total
	}
	all.size, m.size = total, size
	return m.slot.bytes(size)
}

// Free implements experimental.LinearMemory; see release.
func (m *memory) Free() {}

// Bytes returns what the guest has of it now: the next call of the guest may make it longer, or move it. After release it is empty.
func (m *memory) Bytes() []byte {
	if m.slot == nil {
		return nil
	}
	return m.slot.bytes(m.size)
}

// release gives everything back. What a guest that has run ended with is what the next is expected to need. Once more does no harm.
func (m *memories) release(ran bool) {
	if m.runtime == nil {
		return
	}
	if ran {
		m.demand.appetite.learn(m.size)
	}
	for k := range m.all {
		m.stock.pools[k].put(m.all[k].slot, m.all[k].size, ran)
		m.all[k] = memory{} // whoever has it still must not see what another instance writes
	}
	m.runtime.budget.give(m.charged + m.heap + m.host)
	*m = memories{}
}

// inUnits writes a size as the MAYFLY_ variables take it.
func inUnits(n uint64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%dGi", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%dMi", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%dKi", (n+1023)>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
