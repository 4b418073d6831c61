package instance

import (
	"sync"
	"time"
)

// slot is room for one linear memory, which begins as an image says. One instance at a time has it.
type slot interface {
	// bytes returns the first size bytes. It may move them.
	bytes(size uint64) []byte
	// reset makes the first used bytes what they were at first, and says how many bytes of memory the slot has of its own after that. It
	// reports false when the slot must not be used again. What a guest wrote that has run is taken for what others will write.
	reset(used uint64, ran bool) (kept uint64, ok bool)
	free()
}

const (
	// maxIdleSlots bounds the address space that is kept for the next instances.
	maxIdleSlots = 128
	// maxKept bounds the memory that all idle slots of a Runtime have, in bytes.
	maxKept = 64 << 20
)

// stock is where the memories of all instances of a module or a group come from. It keeps slots for reuse: making one costs more than
// resetting one.
type stock struct {
	runtime *Runtime
	images  *images
	pools   []pool // of the memories

	mu     sync.Mutex // guards what follows, and pool.idle
	lent   int        // slots
	closed bool
}

// pool are the slots of one image.
type pool struct {
	stock  *stock
	image  *image
	begins uint64 // bytes that the memory has at first, at least
	hot    hotPages
	idle   []idleSlot // the last one is used first: it is warm, and the others are not missed when they go
}

type idleSlot struct {
	slot
	kept uint64 // what it has of memory; the budget counts it
}

// newStock makes a stock, and owns the images then. Runtime.Close closes it, if nobody does before.
func (r *Runtime) newStock(i *images) *stock {
	s := &stock{runtime: r, images: i, pools: make([]pool, len(i.all))}
	for k := range s.pools {
		s.pools[k].stock, s.pools[k].image = s, &i.all[k]
	}
	r.budget.fixed.Add(i.own)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stocks[s] = struct{}{}
	return s
}

func (p *pool) get() (slot, error) {
	s := p.stock
	s.mu.Lock()
	s.lent++
	if n := len(p.idle); n > 0 {
		idle := p.idle[n-1]
		p.idle[n-1] = idleSlot{}
		p.idle = p.idle[:n-1]
		s.mu.Unlock()
		s.runtime.giveKept(idle.kept)
		return idle.slot, nil
	}
	s.mu.Unlock()
	made, err := newSlot(p)
	if err != nil {
		s.returned()
		return nil, err
	}
	return made, nil
}

// put takes back a slot whose first used bytes may have been written to, by a guest that has run or one that has only begun.
func (p *pool) put(back slot, used uint64, ran bool) {
	s := p.stock
	began := time.Now()
	kept, ok := back.reset(used, ran)
	c := &s.runtime.resets
	c.count.Add(1)
	c.nanoseconds.Add(uint64(time.Since(began)))
	if !ok || !s.runtime.takeKept(kept) {
		back.free()
	} else if !p.keep(idleSlot{back, kept}) {
		back.free()
		s.runtime.giveKept(kept)
	}
	s.returned()
}

func (p *pool) keep(i idleSlot) bool {
	p.stock.mu.Lock()
	defer p.stock.mu.Unlock()
	if p.stock.closed || len(p.idle) >= maxIdleSlots {
		return false
	}
	p.idle = append(p.idle, i)
	return true
}

// returned counts a slot that was lent. What comes back after the stock was closed is the last one to need the images, at some time.
func (s *stock) returned() {
	s.mu.Lock()
	s.lent--
	last := s.closed && s.lent == 0
	s.mu.Unlock()
	if last {
		s.closeImages()
	}
}

func (s *stock) closeImages() {
	s.runtime.budget.fixed.Add(-s.images.own)
	s.images.close()
}

// trim frees the idle slots and reports whether there were some.
func (s *stock) trim() bool {
	some := false
	s.images.trim()
	for k := range s.pools {
		p := &s.pools[k]
		s.mu.Lock()
		idle := p.idle
		p.idle = nil
		s.mu.Unlock()
		for _, i := range idle {
			i.free()
			s.runtime.giveKept(i.kept)
		}
		some = some || len(idle) > 0
	}
	return some
}

// close frees the stock; nil is none.
func (s *stock) close() {
	if s == nil {
		return
	}
	s.runtime.mu.Lock()
	delete(s.runtime.stocks, s)
	s.runtime.mu.Unlock()
	s.mu.Lock()
	last := !s.closed && s.lent == 0
	s.closed = true
	s.mu.Unlock()
	s.trim()
	if last {
		s.closeImages()
	}
}

// takeKept takes what an idle slot has of memory out of the budget, if there is room.
func (r *Runtime) takeKept(n uint64) bool {
	if r.kept.Add(n) <= maxKept && r.budget.fits(n) {
		return true
	}
	r.kept.Add(-n)
	return false
}

func (r *Runtime) giveKept(n uint64) {
	r.kept.Add(-n)
	r.budget.give(n)
}

// Trim gives back the memory that is kept for the next instances: for when there will be none for a while. It reports whether there was some.
func (r *Runtime) Trim() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	some := false
	for s := range r.stocks {
		some = s.trim() || some
	}
	return some
}
