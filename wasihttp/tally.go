package wasihttp

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// tally counts the connections that are not idle: a new one is about to send a request, an active one has sent one; and the guests that
// go on after their answer.
type tally struct {
	// changed takes a value when no request is in flight any more, if somebody asked.
	changed chan struct{}

	mu     sync.Mutex
	busy   map[net.Conn]http.ConnState
	fresh  int       // of busy, those that have asked nothing yet
	held   int       // guests without a connection
	since  time.Time // when the last work was over; probes, and connections that said nothing, are none
	worked bool      // there was some since
	asked  bool
}

func newTally() *tally {
	return &tally{changed: make(chan struct{}, 1), busy: map[net.Conn]http.ConnState{}, since: time.Now()}
}

// observe notes the state of a connection.
func (t *tally) observe(c net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isFresh(c) {
		t.fresh--
	}
	switch state {
	case http.StateNew:
		t.busy[c] = state
		t.fresh++
	case http.StateActive:
		t.busy[c] = state
	default:
		if _, ok := t.busy[c]; !ok {
			return
		}
		delete(t.busy, c)
	}
	t.tell()
}

// silent notes that a connection has had the time for its first request, if it has sent none.
func (t *tally) silent(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isFresh(c) {
		t.fresh--
		delete(t.busy, c)
		t.tell()
	}
}

// work notes that a busy connection has a request for the guest.
func (t *tally) work() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.worked = true
}

// hold counts a guest that goes on when its connection is idle. release ends that.
func (t *tally) hold() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held++
}

func (t *tally) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held--
	t.tell()
}

// tell tells who asked. The caller holds mu.
func (t *tally) tell() {
	if t.worked && len(t.busy)+t.held == 0 {
		t.since, t.worked = time.Now(), false
	}
	if t.asked && len(t.busy) == t.fresh && t.held == 0 {
		t.asked = false
		select {
		case t.changed <- struct{}{}:
		default:
		}
	}
}

func (t *tally) isFresh(c net.Conn) bool {
	state, ok := t.busy[c]
	return ok && state == http.StateNew
}

// quiet reports since when nothing was to be done, if all connections are idle and all guests gone. Where they are not, or since known nothing changed, changed will
// tell when no request is in flight any more.
func (t *tally) quiet(known time.Time) (since time.Time, quiet bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = len(t.busy)+t.held > 0 || t.since == known
	return t.since, len(t.busy)+t.held == 0
}

// count returns how many connections are not idle and guests not gone, and how many connections have asked nothing yet. If there are any,
// changed will tell when no request is in flight any more.
func (t *tally) count() (busy, fresh int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = len(t.busy)+t.held > 0
	return len(t.busy) + t.held, t.fresh
}
