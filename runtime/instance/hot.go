package instance

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	// samples is how many of the last ones decide which pages are hot.
	samples = 8
	// sampleEvery is how many times slots are reset from one sample to the next, when there are that many already.
	sampleEvery = 256
	// maxHot bounds the hot pages of a memory, in bytes: each idle slot has them.
	maxHot = 2 << 20
)

// hotPages learns which pages of a memory most of its guests write to: the stack, the head of the heap, the interpreter's state. To copy those
// back costs less than to have the kernel take them away and the next guest fault them in again.
//
// A sample is what one guest wrote to in a slot that had no page of its own before.
type hotPages struct {
	set    atomic.Pointer[pageSet] // nil: none
	resets atomic.Uint32

	mu      sync.Mutex // guards what follows
	taken   int        // samples, at most as many as are needed
	history []uint8    // a bit for each of the last samples that has the page, by number of the page
}

// due reports whether a slot is to give up all its pages, so that it will show the next sample.
func (h *hotPages) due() bool {
	n := h.resets.Add(1)
	return n <= samples || n%sampleEvery == 0
}

// learn takes a sample, if nobody else is about to.
func (h *hotPages) learn(written []int32, pageBytes int) {
	if !h.mu.TryLock() {
		return
	}
	defer h.mu.Unlock()
	for p := range h.history {
		h.history[p] <<= 1
	}
	if n := len(written); n > 0 {
		if more := int(written[n-1]) + 1 - len(h.history); more > 0 {
			h.history = append(h.history, make([]uint8, more)...)
		}
	}
	for _, p := range written {
		h.history[p] |= 1
	}
	h.taken = min(h.taken+1, samples)
	set, room := make(pageSet, (len(h.history)+63)/64), maxHot/pageBytes
	for p, in := range h.history {
		if 2*bits.OnesCount8(in) > h.taken && room > 0 {
			set[p/64] |= 1 << (p % 64)
			room--
		}
	}
	h.set.Store(&set)
}

// pages returns those that are hot now.
func (h *hotPages) pages() pageSet {
	if s := h.set.Load(); s != nil {
		return *s
	}
	return nil
}

// pageSet has a bit for each page.
type pageSet []uint64

func (s pageSet) has(p int32) bool { return int(p/64) < len(s) && s[p/64]>>(p%64)&1 != 0 }
