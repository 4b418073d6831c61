package wasihttp

import (
	"runtime"
	"runtime/debug"
)

// worthTrimming is how much a process must have taken since it was last trimmed to be trimmed again. A request now and then takes less,
// and is faster where it finds what the last one left.
const worthTrimming = 512 << 10

// trimmer gives memory back to the system when no request has come for a while. One goroutine uses it.
type trimmer struct {
	kept func() bool // gives back what is kept for the next instances; may be nil
	left uint64      // what the process had when it was last trimmed
}

func (t *trimmer) trim() {
	if n := resident(); n > 0 && t.left > 0 && n < t.left+worthTrimming {
		return
	}
	if t.kept != nil {
		t.kept()
	}
	// A pool of objects, and what has a finalizer, is let go of by the second collection after its last use.
	runtime.GC()
	debug.FreeOSMemory()
	t.left = resident()
}
