package outbound

import (
	"log/slog"
	"sync"
)

// maxLogged bounds how many destinations are remembered, and so how many lines are logged: the guest chooses them.
const maxLogged = 100

// refusals logs each destination once.
type refusals struct {
	log *slog.Logger // nil: none

	mu   sync.Mutex
	seen map[destination]bool
}

func (r *refusals) add(d destination) {
	if r.log == nil {
		return
	}
	r.mu.Lock()
	known, n := r.seen[d], len(r.seen)
	if !known && n < maxLogged {
		if r.seen == nil {
			r.seen = map[destination]bool{}
		}
		r.seen[d] = true
	}
	r.mu.Unlock()
	if known || n >= maxLogged {
		return
	}
	r.log.Warn("refused a connection of the guest", "to", d.String(), "hint", d.advice())
	if n == maxLogged-1 {
		r.log.Warn("refused connections to many destinations; further ones are not logged")
	}
}
