package wasihttp

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// tally counts the connections that are not idle: a new one is about to send a request, an active one has sent one.
type tally struct {
	// changed takes a value when no request is in flight any more, if somebody asked.
	changed chan struct{}

	mu    sync.Mutex
	busy  map[net.Conn]http.ConnState
	fresh int       // of busy, those that have sent nothing yet
	since time.Time // when busy became empty
	asked bool
}

func newTally() *tally {
	return &tally{changed: make(chan struct{}, 1), busy: map[net.Conn]http.ConnState{}, since: time.Now()}
}

// observe is [http.Server.ConnState].
func (t *tally) observe(c net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy[c] == http.StateNew && t.has(c) {
		t.fresh--
	}
	switch state {
	case http.StateNew:
		t.busy[c] = state
		t.fresh++
	case http.StateActive:
		t.busy[c] = state
	default:
		if !t.has(c) {
			return
		}
		delete(t.busy, c)
	}
	if len(t.busy) == 0 {
		t.since = time.Now()
	}
	if t.asked && len(t.busy) == t.fresh {
		t.asked = false
		select {
		case t.changed <- struct{}{}:
		default:
		}
	}
}

func (t *tally) has(c net.Conn) bool {
	_, ok := t.busy[c]
	return ok
}

// quiet reports since when all connections are idle, if they are. Where they are not, or since known nothing changed, changed will
// tell when no request is in flight any more.
func (t *tally) quiet(known time.Time) (since time.Time, quiet bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = len(t.busy) > 0 || t.since == known
	return t.since, len(t.busy) == 0
}

// count returns how many connections are not idle, and how many of these have sent nothing yet. If there are any, changed will tell
// when no request is in flight any more.
func (t *tally) count() (busy, fresh int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = len(t.busy) > 0
	return len(t.busy), t.fresh
}
