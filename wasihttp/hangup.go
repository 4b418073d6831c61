package wasihttp

import (
	"sync/atomic"
	"time"
)

// A guest that leaves its request's body unread keeps net/http from reading, and it is by reading that net/http learns that a client is
// gone. So while the body's buffer is full the connection is asked from time to time.

// hangups is how many connections are being asked.
var hangups atomic.Int64

// untilAsked is how long a connection is left alone: the longer the more there are, so that asking all takes no more than some percent of a
// processor.
func untilAsked() time.Duration {
	const least, each = 4 * time.Millisecond, 50 * time.Microsecond
	return least + time.Duration(hangups.Load())*each
}

// listen sees that the connection is asked whether the client is there. The caller holds mu.
func (b *body) listen() {
	if b.left != nil && b.listening == nil {
		hangups.Add(1)
		b.listening = setAlarm(untilAsked(), b)
	}
}

// unlisten ends that. The caller holds mu.
func (b *body) unlisten() {
	if b.listening != nil {
		b.listening.cancel()
		b.listening = nil
		hangups.Add(-1)
	}
}

// ring implements bell.
func (b *body) ring() {
	if b.ask() {
		b.signal.Notify()
	}
}

// ask asks whether the client is there, if nobody reads, and reports whether that has ended the body.
func (b *body) ask() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listening == nil {
		return false
	}
	b.unlisten()
	switch {
	case b.over, b.skip, b.err != nil, len(b.buf) < cap(b.buf), b.taken == len(b.buf):
		return false // somebody reads, or will listen again
	case !b.left():
		b.listen()
		return false
	}
	b.err = b.failed(errClientGone)
	b.changed.Broadcast()
	return true
}
