package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mayfly-run/mayfly/runtime/instance"
)

// application answers requests with fresh instances: of a module that speaks CGI, or of a component.
type application interface {
	// answer answers the request of x, but for what x answers in the guest's place. It returns how far the guest got.
	answer(x *exchange) (said, error)
	// outlives reports whether a guest may go on after its answer is over.
	outlives() bool
}

// said is how far a guest's answer got.
type said struct {
	status int
	sent   bool // the head; it is too late for another answer
}

// exchange is one request and its answer.
type exchange struct {
	server *Server
	w      http.ResponseWriter
	rc     *http.ResponseController
	r      *http.Request // as it came
	id     string
	start  time.Time
	ctx    context.Context // ends when the guest is to stop: life
	life   lifetime
	in     *body // of r
	none   body  // what that is when there is none
	// announced is the field Trailer of r.
	announced string

	queued time.Duration // waiting for instances
	ran    time.Duration // with one

	released bool // deadlines of the connection were used to end the request
	detached bool // the guest has outlived the request, and ends the exchange
}

// serveHTTP answers r with a fresh instance, unless it is a probe. It returns when the instance is gone, or when nobody waits for it any more.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if c := anyConnOf(r); c != nil {
		if c.spent.Load() {
			panic(http.ErrAbortHandler) // this is no request, it is a piece of the one before
		}
		c.asked.Store(true)
	}
	s.handlers.RLock()
	if s.isProbe(r) {
		defer s.handlers.RUnlock()
		s.answerProbe(w, r)
		return
	}
	s.tally.work()
	s.begun.Add(1)
	defer s.served.Add(1)

	start := time.Now()
	x := &exchange{server: s, w: w, rc: http.NewResponseController(w), r: r, id: requestID(r.Header), start: start}
	parent := r.Context()
	if s.app.outlives() {
		parent = s.life // who waits for the guest sees when the request is over
	}
	x.life.begin(parent, start, start.Add(s.config.Sidecar.Timeout))
	x.ctx = &x.life
	defer func() {
		if !x.detached {
			x.done()
		}
	}()
	w.Header()[requestIDField] = []string{x.id}
	x.serve()
}

// done frees what the exchange holds.
func (x *exchange) done() {
	x.life.end()
	x.server.handlers.RUnlock()
}

// fail ends the request.
func (x *exchange) fail(cause error) { x.life.fail(cause) }

func (x *exchange) serve() {
	if x.r.Body != http.NoBody {
		_ = x.rc.EnableFullDuplex() // or net/http would read the whole body before it lets the guest answer
	}
	x.announced = announced(x.r.Trailer) // reading the body changes that
	if x.none.err = io.EOF; x.r.Body == http.NoBody {
		x.in = &x.none
	} else {
		x.in = newBody(x.r, x.server.config.Sidecar.MaxBody, x.fail)
	}
	defer x.leave()
	switch {
	case x.r.Method == http.MethodConnect:
		x.refuse(refusal{status: http.StatusNotImplemented, text: "this is no proxy"})
	case x.r.ContentLength > x.server.config.Sidecar.MaxBody: // and nobody has told the client to go on and send it
		x.end(said{}, errBodyLarge)
	default:
		x.end(x.server.app.answer(x))
	}
}

// inTurn calls f with a place among the instances, and the time until which it may wait for memory.
func (x *exchange) inTurn(f func(until time.Time) error) error {
	q := x.server.queue
	queued, until := time.Now(), waitUntil(x.life.until)
	err := q.enter(x.ctx, until)
	x.queued += time.Since(queued)
	if err != nil {
		return err
	}
	defer q.leave()
	return f(until)
}

// running is an instance that answers a request.
type running interface {
	// Start makes it. When it fails there is nothing to close.
	Start(ctx context.Context) error
	// Run runs it to its end.
	Run(ctx context.Context) error
	// Close frees it. The goroutine that ran it calls it, when Run is over: its memory goes to another request.
	Close() error
}

// live runs one instance from its beginning, for which it waits until there is memory, to its end.
func (x *exchange) live(until time.Time, t *timing, i running) error {
	q := x.server.queue
	waiting, started := time.Now(), time.Time{}
	defer func() { x.count(waiting, started) }()
	err := q.instantiate(x.ctx, until, func() (err error) {
		// What an instance waits for memory is queueing too.
		now := time.Now()
		t.queue = x.queued + now.Sub(waiting)
		started = now
		if err = i.Start(x.ctx); errors.Is(err, instance.ErrBudget) {
			started = time.Time{}
		}
		t.running = time.Now()
		t.instance = t.running.Sub(now)
		return err
	})
	if err != nil {
		return err
	}
	defer q.ended()
	defer i.Close()
	err = i.Run(x.ctx)
	// A guest that a broken body or a late write made end by itself was stopped all the same.
	if cause := context.Cause(x.ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// count adds up what it took to wait since one time and to run since another, zero where it did not.
func (x *exchange) count(waiting, started time.Time) {
	now := time.Now()
	if started.IsZero() {
		started = now
	}
	x.queued += started.Sub(waiting)
	x.ran += now.Sub(started)
}

// releaseWhenOver sees that who waits for the client does not wait beyond the guest's time. sending tells whether anything has been
// given to w. What it returns ends that.
func (x *exchange) releaseWhenOver(sending *atomic.Bool) func() {
	released := make(chan struct{})
	stop := context.AfterFunc(x.ctx, func() {
		defer close(released)
		now := time.Now()
		_ = x.rc.SetReadDeadline(now)
		// As long as nothing is sent no write can be stuck, and the refusal is to be written yet.
		if sending.Load() {
			_ = x.rc.SetWriteDeadline(now)
		}
	})
	return func() {
		if !stop() {
			<-released
			x.released = true
		}
	}
}

// end ends the exchange, given how it went.
func (x *exchange) end(s said, err error) {
	if err == nil {
		x.logRequest(s.status)
		return
	}
	f := refusalFor(err)
	switch {
	case errors.Is(err, errCut):
		x.server.cuts.Add(1)
	case f.again:
		x.server.refused.Add(1)
	case f.level > slog.LevelDebug:
		x.server.failures.Add(1)
	}
	if f.status != 0 && !s.sent {
		x.logFailure(f.level, http.StatusText(f.status), err)
		x.refuse(f)
		return
	}
	x.logFailure(f.level, "cut short", err)
	if s.sent && x.ctx.Err() == nil {
		_ = x.rc.Flush() // what the guest did say
	}
	// Cutting the connection is how a client learns that the answer is not whole.
	panic(http.ErrAbortHandler)
}

// leave stops reading the body.
func (x *exchange) leave() {
	x.in.close(x.rc.SetReadDeadline)
	if c := connOf(x.r); c != nil && x.mustClose() {
		c.spend()
	}
}

// mustClose reports whether no other request may follow on an HTTP/1 connection: what would come next is a piece of the body, or
// net/http has seen a read fail and takes the client for gone.
func (x *exchange) mustClose() bool { return x.released || !x.in.whole() }

func (x *exchange) logRequest(status int) {
	log := x.server.config.Log
	if log.Enabled(x.r.Context(), slog.LevelDebug) {
		log.Debug("request", "request", x.id, "method", x.r.Method, "path", x.r.URL.Path, "status", status,
			"duration", time.Since(x.start).Round(time.Microsecond))
	}
}
