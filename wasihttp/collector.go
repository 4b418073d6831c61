package wasihttp

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// heapFloor is up to where the heap grows before it is collected, in bytes, whatever of it is in use: budget leaves that.
//
// An engine has a few megabytes in use, and a request leaves some kilobytes behind. Go collects when as much garbage has gathered as there is in
// use: a hundred times a second under load, a fifth of all work. What has gathered when the load is over goes with the trimming of the process.
const heapFloor = slack

// usualPercent is Go's own setting: as much garbage as there is in use.
const usualPercent = 100

// collector sets after each collection how much garbage may gather until the next.
type collector struct {
	floor uint64

	mu      sync.Mutex // guards what follows
	percent int        // as set
	over    bool
}

// tuneCollector begins to do so, unless whoever started the process has set it. The function that it returns ends that.
func tuneCollector(floor uint64) (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	c := &collector{floor: floor, percent: usage().percent(floor)}
	before := debug.SetGCPercent(c.percent)
	runtime.SetFinalizer(&cycle{c}, (*cycle).end)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.over = true
		debug.SetGCPercent(before)
	}
}

// cycle is in use by nobody, so each collection finds it.
type cycle struct{ *collector }

func (c *cycle) end() {
	if c.set() {
		runtime.SetFinalizer(c, (*cycle).end)
	}
}

// set sets the percentage for what is in use now, and reports whether to go on. It stops the world for a moment, so small changes are left
// out.
func (c *collector) set() bool {
	percent := usage().percent(c.floor)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over && (percent*4 < c.percent*3 || percent*3 > c.percent*4) {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
	return !c.over
}

// used is what the last collection has looked at, in bytes.
type used struct {
	heap  uint64 // found in use
	roots uint64 // stacks and global variables
}

func usage() used {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(s)
	for i := range s {
		if s[i].Value.Kind() != metrics.KindUint64 {
			return used{heap: math.MaxInt64} // unknown
		}
	}
	return used{s[0].Value.Uint64(), s[1].Value.Uint64() + s[2].Value.Uint64()}
}

// leastHeap is up to where Go lets a heap grow at usualPercent, in bytes, whatever is in use; at twice the percentage it is twice as much.
const leastHeap = 4 << 20

// percent is how much garbage, in percent of all that is looked at, makes the heap as large as the floor.
func (u used) percent(floor uint64) int {
	most := floor * usualPercent / leastHeap // then the least heap is the floor
	if u.heap < floor {
		most = min(most, (floor-u.heap)*100/max(u.heap+u.roots, 1))
	} else {
		most = usualPercent
	}
	return max(int(most), usualPercent)
}
