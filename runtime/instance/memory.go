package instance

import (
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

const pageSize = 1 << 16 // of WebAssembly

// memory is the linear memory of one instance: a slot, and how much of it the guest has.
//
// wazero frees a memory as soon as its module is closed, which a guest brings about by calling proc_exit, while it runs. A slot that
// went to another instance at that point would be one the guest could still write to if a host function were on the way. So Free
// does nothing, and the instance's owner calls release when nothing of the guest runs any more.
type memory struct {
	module  *Module
	slot    *slot
	size    uint64
	charged uint64 // to the budget, for linear memory
}

var (
	_ experimental.MemoryAllocator = (*memory)(nil)
	_ experimental.LinearMemory    = (*memory)(nil)
)

// newMemory takes from the budget what the instance is expected to need, so that Reallocate cannot fail before the guest runs: wazero
// would panic. Where nothing else is alive its first bytes are enough.
func newMemory(m *Module) (*memory, error) {
	b, first := &m.runtime.budget, m.initialMemory
	charged := m.appetite.expected(first)
	if !b.take(charged + m.heap) {
		charged = first
		if b.used.Load() > 0 || !b.take(charged+m.heap) {
			return nil, fmt.Errorf("%w: it needs %s, all others have %s of %s: raise the container's memory limit, or lower MAYFLY_MAX_INSTANCES",
				ErrBudget, inUnits(first+m.heap), inUnits(b.used.Load()), inUnits(b.limit.Load()))
		}
	}
	s, err := m.runtime.slots.get()
	if err != nil {
		b.give(charged + m.heap)
		return nil, err
	}
	return &memory{module: m, slot: s, size: first, charged: charged}, nil
}

// Allocate implements experimental.MemoryAllocator. A module has one memory at most, so there is one to give.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements experimental.LinearMemory; nil makes memory.grow answer -1.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.module.runtime.slots.size {
		return nil
	}
	if size > m.charged {
		if !m.module.runtime.budget.take(size - m.charged) {
			return nil
		}
		m.charged = size
	}
	m.size = max(m.size, size)
	return m.slot.bytes(size)
}

// Free implements experimental.LinearMemory; see release.
func (m *memory) Free() {}

func (m *memory) release() {
	if m.slot == nil {
		return
	}
	m.module.runtime.slots.put(m.slot, m.size)
	m.module.runtime.budget.give(m.charged + m.module.heap)
	m.slot = nil
}

// maxIdleSlots bounds the address space that is kept for the next instances. An idle slot holds no memory.
const maxIdleSlots = 128

// slots keeps slots of one size for reuse: making one costs more than clearing one.
type slots struct {
	size uint64

	mu     sync.Mutex // guards idle and closed
	idle   []*slot
	closed bool
}

func (p *slots) get() (*slot, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	return newSlot(p.size)
}

// put takes back a slot whose first used bytes may have been written to.
func (p *slots) put(s *slot, used uint64) {
	reusable := s.reset(used)
	p.mu.Lock()
	if reusable && !p.closed && len(p.idle) < maxIdleSlots {
		p.idle = append(p.idle, s)
		s = nil
	}
	p.mu.Unlock()
	if s != nil {
		s.free()
	}
}

func (p *slots) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, s := range idle {
		s.free()
	}
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
