package instance

import (
	"sync/atomic"
	"time"
)

// Resets says what it has taken to make the memories of ended instances what they were at first.
type Resets struct {
	Count    uint64        // memories
	Time     time.Duration // for all of them
	Restored uint64        // bytes that were written again
	Dropped  uint64        // bytes that the kernel was told to take away, be there pages or not
}

// Per returns what one reset has taken, on average.
func (r Resets) Per() time.Duration {
	if r.Count == 0 {
		return 0
	}
	return r.Time / time.Duration(r.Count)
}

// Since returns what has come after an earlier state.
func (r Resets) Since(o Resets) Resets {
	return Resets{r.Count - o.Count, r.Time - o.Time, r.Restored - o.Restored, r.Dropped - o.Dropped}
}

// Resets says it for all modules and groups of the Runtime so far.
func (r *Runtime) Resets() Resets {
	c := &r.resets
	return Resets{c.count.Load(), time.Duration(c.nanoseconds.Load()), c.restored.Load(), c.dropped.Load()}
}

// resetCounters are what Resets reads.
type resetCounters struct{ count, nanoseconds, restored, dropped atomic.Uint64 }
