package instance

import "sync/atomic"

// budget counts the linear memory of all live instances.
type budget struct {
	limit uint64 // bytes; 0: unbounded
	used  atomic.Uint64
}

// take reports whether there was room for n more bytes, and counts them if so.
func (b *budget) take(n uint64) bool {
	used := b.used.Add(n)
	if b.limit == 0 || used <= b.limit {
		return true
	}
	b.give(n)
	return false
}

func (b *budget) give(n uint64) { b.used.Add(-n) }
