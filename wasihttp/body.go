package wasihttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

const (
	// leastAhead and mostAhead are how many bytes of a body are read before the guest asks for them: the fewer as long as it takes
	// none, since many requests may wait for an instance.
	leastAhead = 4 << 10
	mostAhead  = 32 << 10
	// lastChance is how long an answer that is over waits for the rest of a body that the guest did not read.
	lastChance = 20 * time.Millisecond
)

var (
	errBodyLarge  = errors.New("the request's body is larger than MAYFLY_MAX_BODY")
	errBodyBroken = errors.New("the request's body broke off")
)

// body is the body of a message from the network on its way to a guest.
//
// That of a request is read ahead a little: net/http learns that a client is gone only where it reads, and a guest that does not care
// for the body is to be stopped then too.
type body struct {
	r      io.Reader
	failed func(error) error // told why reading failed; it returns what the guest is told
	wait   func()            // called before the guest waits for more

	left func() bool // reports whether the client is gone; nil: nobody knows

	pump   sync.WaitGroup // the goroutine that reads ahead
	signal wasiio.Signal  // something has come

	mu       sync.Mutex // guards what follows
	changed  sync.Cond
	idle     bool   // reading begins when the guest wants something
	buf      []byte // read; of it, the guest had the first taken bytes
	taken    int
	err      error // of reading
	expected bool  // the client waits to be told; an answer must not overtake that
	skip     bool  // the guest wants what comes behind the body, and nothing of it
	over     bool  // nobody wants more
	thrown   int   // bytes thrown away since

	listening *alarm // asks whether the client is gone; nil: nobody does
}

// noBody is that of a request without one.
func noBody() *body { return &body{err: io.EOF} }

// newBody is the body of a request. It begins to read, unless it is clear that the body is too large, or the client waits to be told that
// somebody wants it (RFC 9110, 10.1.1). fail ends the request. close ends the reading.
func newBody(r *http.Request, limit int64, fail func(error)) *body {
	switch {
	case r.Body == nil, r.Body == http.NoBody:
		return noBody()
	case r.ContentLength > limit:
		return &body{err: errBodyLarge}
	}
	// Not told of w: it would change the answer's header from this goroutine.
	b := readBody(http.MaxBytesReader(nil, r.Body, limit), r.ContentLength, func(err error) error {
		switch tooLarge := (*http.MaxBytesError)(nil); {
		case errors.As(err, &tooLarge):
			err = errBodyLarge
		default:
			err = fmt.Errorf("%w: %w", errBodyBroken, err)
		}
		// A guest must not take a part for the whole.
		fail(err)
		return err
	})
	if c := connOf(r); c != nil {
		b.left = c.left
	}
	if b.expected = strings.EqualFold(r.Header.Get("Expect"), "100-continue"); !b.expected {
		b.begin()
	}
	return b
}

// readBody is a body of so many bytes, -1 if that is not known, that is not read yet.
func readBody(r io.Reader, length int64, failed func(error) error) *body {
	size := int64(leastAhead)
	if length > 0 {
		size = min(size, length+1)
	}
	b := &body{r: r, failed: failed, idle: true, buf: make([]byte, 0, size), wait: func() {}}
	b.changed.L = &b.mu
	return b
}

// begin begins to read, if that has not happened.
func (b *body) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beginLocked()
}

func (b *body) beginLocked() {
	if b.idle && !b.over {
		b.idle = false
		b.pump.Go(b.readAhead)
	}
}

func (b *body) readAhead() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.err == nil {
		switch {
		case b.over && b.thrown >= maxLeftover:
			return
		case b.over || b.skip:
			b.thrown += len(b.buf) - b.taken
			b.buf, b.taken = b.buf[:0], 0
		case b.taken == cap(b.buf) && b.taken < mostAhead:
			b.buf, b.taken = make([]byte, 0, 2*cap(b.buf)), 0
		case b.taken == len(b.buf):
			b.buf, b.taken = b.buf[:0], 0
		case len(b.buf) == cap(b.buf):
			b.listen()
			b.changed.Wait()
			continue
		}
		room := b.buf[len(b.buf):cap(b.buf)]
		b.mu.Unlock()
		n, err := b.r.Read(room)
		b.mu.Lock()
		b.buf = b.buf[:len(b.buf)+n]
		b.err = err
		b.expected = false
		if err != nil && err != io.EOF && !b.over {
			b.err = b.failed(err)
		}
		b.changed.Broadcast()
		b.mu.Unlock()
		b.signal.Notify()
		b.mu.Lock()
	}
}

// Read reads for a guest that waits.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beginLocked()
	if b.taken == len(b.buf) && b.err == nil && !b.expected {
		b.mu.Unlock()
		b.wait()
		b.mu.Lock()
	}
	for b.taken == len(b.buf) {
		if b.err != nil || len(p) == 0 {
			return 0, b.err
		}
		b.changed.Wait()
	}
	n := copy(p, b.buf[b.taken:])
	b.taken += n
	b.changed.Broadcast()
	return n, nil
}

// take returns what is there, at most limit bytes; neither bytes nor an error when nothing is.
func (b *body) take(limit int) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beginLocked()
	n := min(limit, len(b.buf)-b.taken)
	switch {
	case n > 0:
	case b.err == nil && b.over: // nobody reads on
		return nil, wasiio.ErrClosed
	default:
		return nil, b.err
	}
	p := make([]byte, n)
	copy(p, b.buf[b.taken:])
	b.taken += n
	b.changed.Broadcast()
	return p, nil
}

// ready reports whether take would return anything.
func (b *body) ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beginLocked()
	return b.taken < len(b.buf) || b.err != nil || b.over
}

// finish throws away what the guest has not taken, up to the end, where the trailers are.
func (b *body) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.skip = true
	if b.r != nil {
		b.changed.Broadcast()
	}
}

// end returns how reading ended, nil as long as it has not.
func (b *body) end() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beginLocked()
	return b.err
}

// whole reports whether all of the body has been read.
func (b *body) whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err == io.EOF
}

// size is how many bytes there are that the guest has not taken.
func (b *body) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == len(b.buf) {
		b.buf, b.taken = nil, 0
	}
	return len(b.buf)
}

// forget throws away what the guest has not taken. The reading has ended.
func (b *body) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf, b.taken = nil, 0
}

// close ends the reading and waits for that. What is on its way is read still, so that the connection can be used again: it may
// take lastChance, which setDeadline imposes on reads, and have maxLeftover bytes.
func (b *body) close(setDeadline func(time.Time) error) {
	b.mu.Lock()
	b.unlisten()
	if !b.over && b.r != nil {
		b.over, b.thrown = true, 0
		b.changed.Broadcast()
		if b.err == nil && !b.idle {
			_ = setDeadline(time.Now().Add(lastChance))
		}
	}
	b.mu.Unlock()
	b.pump.Wait()
}
