package instance

import "sync/atomic"

// budget counts what all live instances take: their linear memory, and what they need of Go's heap.
type budget struct {
	limit atomic.Uint64 // bytes; 0: unbounded
	used  atomic.Uint64
	fixed atomic.Uint64 // what is taken whether there are instances or not: memory images

	// reclaim gives back what can be done without, and reports whether there was some.
	reclaim func() bool
}

// take reports whether there was room for n more bytes, and counts them if so.
func (b *budget) take(n uint64) bool { return b.fits(n) || b.reclaim() && b.fits(n) }

// fits is take for what can be done without.
func (b *budget) fits(n uint64) bool {
	used := b.used.Add(n)
	if limit := b.limit.Load(); limit == 0 || used+b.fixed.Load() <= limit {
		return true
	}
	b.give(n)
	return false
}

// takeAlone is take for the one instance that there must be room for, if nothing else has any.
func (b *budget) takeAlone(n uint64) bool { return n <= b.limit.Load() && b.used.CompareAndSwap(0, n) }

func (b *budget) give(n uint64) { b.used.Add(-n) }

// appetite is how much linear memory the instances of a module end with. The budget is charged with it when they begin: a burst of
// instances that all fit as they start, and then grow, would meet their limit half-way, all of them at once.
type appetite struct {
	size    atomic.Uint64 // bytes
	learned atomic.Bool
}

// unknown is how many times its initial memory an instance is taken to need before the first has ended.
const unknown = 2

func (a *appetite) expected(first uint64) uint64 {
	if !a.learned.Load() {
		return unknown * first
	}
	return max(a.size.Load(), first)
}

// learn takes the size that an instance ended with. The expectation rises at once and falls slowly. Two that learn at the same time
// may lose one of the two; the next will tell.
func (a *appetite) learn(size uint64) {
	old := a.size.Load()
	if !a.learned.Load() || size > old {
		a.size.Store(size)
		a.learned.Store(true)
		return
	}
	a.size.Store(old - (old-size)/16)
}
