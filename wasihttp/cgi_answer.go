package wasihttp

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// flushAfter is how long a piece of an answer may wait for more to come, so that a small answer is one packet with a length.
const flushAfter = time.Millisecond

// answer is a guest's standard output on its way to the client: the head is parsed, the body streams.
//
// What the guest writes leaves at the latest after flushAfter, or when the guest waits for more of the request.
type answer struct {
	ctx    context.Context
	w      http.ResponseWriter
	rc     *http.ResponseController
	method string
	timing *timing // nil when the client is not told

	// The guest's goroutine alone touches these, and who waits for its end.
	head     head
	complete bool  // the head
	left     int64 // bytes the guest still owes, when it announced a length
	silent   bool  // the body is not to be sent
	sent     bool  // the head; it is too late for another answer
	late     bool  // something came when the request had ended
	err      error // what is wrong with the output

	// sending is set before anything goes to w. Who ends the request sees it and releases a writer that is stuck.
	sending atomic.Bool

	mu      sync.Mutex    // guards w once the head is sent, and what follows
	alarm   *alarm        // flushes what was written; nil: nothing was
	written int           // of the body, in bytes
	ended   bool          // the guest is gone
	hurry   func() func() // sees that waiting for the client ends with the guest's time; what it returns ends that
	release func()        // what it returned; nil: it was not called
}

// Write takes output of the guest. An error makes the guest's write fail.
func (a *answer) Write(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	n := 0
	if !a.complete {
		if n, a.complete, a.err = a.head.feed(p); a.err != nil {
			return 0, a.err
		}
		if !a.complete {
			return n, nil
		}
		if err := a.begin(); err != nil {
			return 0, err
		}
	}
	if err := a.write(p[n:]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// begin sends the head, unless it redirects to another path of this server.
func (a *answer) begin() error {
	if _, local := a.head.local(); local {
		a.silent = true
		return nil
	}
	a.sending.Store(true)
	if err := a.ctx.Err(); err != nil {
		a.late = true
		return err // who ended the request answers it
	}
	header := a.w.Header()
	a.head.copyTo(header)
	if a.timing != nil {
		header.Add("Server-Timing", a.timing.String())
	}
	code := a.head.code()
	switch {
	case code == http.StatusNoContent || code == http.StatusNotModified:
		a.silent = true
	case a.head.hasLength:
		header.Set("Content-Length", strconv.FormatInt(a.head.length, 10))
		a.left = a.head.length
	}
	if a.method == http.MethodHead {
		a.silent = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.w.WriteHeader(code)
	a.sent = true
	a.soil()
	return nil
}

func (a *answer) write(p []byte) error {
	if a.silent || len(p) == 0 {
		return nil
	}
	if err := a.ctx.Err(); err != nil {
		a.late = true
		return err
	}
	var excess error
	if a.head.hasLength {
		if int64(len(p)) > a.left {
			p, excess = p[:a.left], notHTTP("its body is longer than its Content-Length of %d bytes", a.head.length)
		}
		a.left -= int64(len(p))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.written += len(p); a.written > smallAnswer {
		a.hasten()
	}
	_, err := a.w.Write(p)
	a.soil()
	if excess != nil {
		a.err = excess
	}
	if err == nil {
		err = excess
	}
	return err
}

// soil notes that there is something to flush, and sees that it will be. The caller holds mu.
func (a *answer) soil() {
	if a.alarm == nil {
		a.alarm = setAlarm(flushAfter, a)
	}
}

// ring implements bell.
func (a *answer) ring() { a.flush() }

// flush sends what was written. An error shows at the next write.
func (a *answer) flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.alarm == nil || a.ended {
		return
	}
	a.alarm.cancel()
	a.alarm = nil
	a.hasten()
	_ = a.rc.Flush()
}

// hasten is called before who writes may have to wait for the client. The caller holds mu, or nothing of the guest has run yet.
func (a *answer) hasten() {
	if a.release == nil {
		a.release = a.hurry()
	}
}

// end is called when the guest is gone: from then on nobody touches w but the caller.
func (a *answer) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	if a.alarm != nil {
		a.alarm.cancel()
		a.alarm = nil
	}
	if a.release != nil {
		a.release()
	}
}

// check looks at the output of a guest that ended well.
func (a *answer) check() error {
	switch {
	case a.err != nil:
		return a.err
	case !a.complete:
		return a.head.missing()
	case a.head.hasLength && a.left > 0 && !a.silent:
		return notHTTP("its body has %d bytes less than its Content-Length of %d", a.left, a.head.length)
	}
	return nil
}
