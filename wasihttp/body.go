package wasihttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
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

// body is a request's body on its way to a guest's standard input.
//
// It is read ahead a little: net/http learns that a client is gone only where it reads, and a guest that does not care for the body
// is to be stopped then too.
type body struct {
	r    io.Reader
	fail func(error) // ends the request
	wait func()      // called before the guest waits for more

	pump sync.WaitGroup // the goroutine that reads ahead

	mu      sync.Mutex // guards what follows
	changed sync.Cond
	buf     []byte // read; of it, the guest had the first taken bytes
	taken   int
	err     error // of reading
	over    bool  // nobody wants more: what comes is thrown away
	thrown  int   // bytes
}

// noBody is that of a request without one.
func noBody() *body { return &body{err: io.EOF} }

// newBody begins to read, unless it is clear that the body is too large. close ends that.
func newBody(r *http.Request, limit int64, fail func(error)) *body {
	switch {
	case r.Body == nil, r.Body == http.NoBody:
		return noBody()
	case r.ContentLength > limit:
		return &body{err: errBodyLarge}
	}
	size := int64(leastAhead)
	if r.ContentLength > 0 {
		size = min(size, r.ContentLength+1)
	}
	// Not told of w: it would change the answer's header from this goroutine.
	b := &body{r: http.MaxBytesReader(nil, r.Body, limit), fail: fail, buf: make([]byte, 0, size)}
	b.changed.L = &b.mu
	b.pump.Go(b.readAhead)
	return b
}

func (b *body) readAhead() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.err == nil {
		switch {
		case b.over && b.thrown >= maxLeftover:
			return
		case b.over:
			b.thrown += len(b.buf) - b.taken
			b.buf, b.taken = b.buf[:0], 0
		case b.taken == cap(b.buf) && b.taken < mostAhead:
			b.buf, b.taken = make([]byte, 0, 2*cap(b.buf)), 0
		case b.taken == len(b.buf):
			b.buf, b.taken = b.buf[:0], 0
		case len(b.buf) == cap(b.buf):
			b.changed.Wait()
			continue
		}
		room := b.buf[len(b.buf):cap(b.buf)]
		b.mu.Unlock()
		n, err := b.r.Read(room)
		b.mu.Lock()
		b.buf = b.buf[:len(b.buf)+n]
		b.end(err)
		b.changed.Broadcast()
	}
}

// end notes how reading ended, if err is not nil. Where the body broke the request ends: a guest must not take a part for the whole.
// The caller holds mu.
func (b *body) end(err error) {
	b.err = err
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case err == nil, err == io.EOF, b.over:
	case errors.As(err, &tooLarge):
		b.fail(errBodyLarge)
	default:
		b.fail(fmt.Errorf("%w: %w", errBodyBroken, err))
	}
}

// Read reads for the guest.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == len(b.buf) && b.err == nil {
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

// whole reports whether all of the body has been read.
func (b *body) whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err == io.EOF
}

// close ends the reading and waits for that. What is on its way is read still, so that the connection can be used again: it may
// take lastChance, which setDeadline imposes on reads, and have maxLeftover bytes.
func (b *body) close(setDeadline func(time.Time) error) {
	b.mu.Lock()
	if !b.over && b.r != nil {
		b.over = true
		b.changed.Broadcast()
		if b.err == nil {
			_ = setDeadline(time.Now().Add(lastChance))
		}
	}
	b.mu.Unlock()
	b.pump.Wait()
}
