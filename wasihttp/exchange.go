package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/runtime/instance"
)

// maxRedirects bounds local redirects of one request.
const maxRedirects = 10

// exchange is one request and its answer.
type exchange struct {
	server *Server
	w      http.ResponseWriter
	rc     *http.ResponseController
	r      *http.Request // as it came
	id     string
	start  time.Time
	ctx    context.Context // ends when the request does
	fail   context.CancelCauseFunc
	in     *body // of r

	queued time.Duration // waiting for instances
	ran    time.Duration // with one

	released bool // deadlines of the connection were used to end the request
}

// serveHTTP answers r with a fresh instance. It returns when the instance is gone.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if c := connOf(r); c != nil && c.spent.Load() {
		panic(http.ErrAbortHandler) // this is no request, it is a piece of the one before
	}
	s.handlers.RLock()
	defer s.handlers.RUnlock()
	defer s.served.Add(1)

	start := time.Now()
	ctx, cancel := context.WithDeadlineCause(r.Context(), start.Add(s.config.Sidecar.Timeout), errTimeout)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	x := &exchange{
		server: s, w: w, rc: http.NewResponseController(w), r: r, id: requestID(r.Header), start: start, ctx: ctx, fail: fail,
	}
	w.Header().Set(requestIDField, x.id)
	x.serve()
}

func (x *exchange) serve() {
	// Or net/http would read the whole body before it lets the guest answer.
	_ = x.rc.EnableFullDuplex()
	x.in = newBody(x.r, x.server.config.Sidecar.MaxBody, x.fail)
	defer x.leave()
	switch {
	case x.r.Method == http.MethodConnect:
		x.refuse(refusal{status: http.StatusNotImplemented, text: "this is no proxy"})
		return
	case strings.IndexByte(x.r.URL.Path, 0) >= 0: // no variable can hold it
		x.refuse(refusal{status: http.StatusBadRequest, text: "the path has a zero byte"})
		return
	case x.r.ContentLength > x.server.config.Sidecar.MaxBody: // and nobody has told the client to go on and send it
		x.end(nil, errBodyLarge)
		return
	}
	r, in, hops := x.r, x.in, 0
	for {
		a := &answer{ctx: x.ctx, w: x.w, rc: x.rc, method: r.Method}
		err := x.run(r, in, a)
		if err == nil {
			err = a.check()
		}
		if to, local := a.head.local(); err == nil && local {
			if hops++; hops <= maxRedirects {
				if r, err = x.redirected(to); err == nil {
					in = noBody()
					continue
				}
			} else {
				err = errRedirects
			}
		}
		x.end(a, err)
		return
	}
}

// run runs one instance for r from its place in the queue to its end.
func (x *exchange) run(r *http.Request, in *body, a *answer) error {
	s := x.server
	t := &timing{}
	if s.config.Sidecar.ServerTiming {
		a.timing = t
	}
	queued, started := time.Now(), time.Time{}
	defer func() { x.count(queued, started) }()
	end, _ := x.ctx.Deadline()
	until := waitUntil(end)
	if err := s.queue.enter(x.ctx, until); err != nil {
		return err
	}
	defer s.queue.leave()

	// A start section may speak already: all of this stands before the instance does.
	defer a.end()
	release := x.releaseWhenOver(a)
	defer release()
	stderr := s.guests.stream(x.id)
	defer stderr.Close()
	in.wait = a.flush
	call := instance.Call{
		Args: s.config.Args, Env: s.env.of(r, x.id), FS: s.config.FS,
		Stdin: in, Stdout: a, Stderr: stderr,
	}
	i, err := s.queue.instantiate(x.ctx, until, func() (*instance.Instance, error) {
		// What an instance waits for memory is queueing too.
		now := time.Now()
		t.queue = now.Sub(queued)
		started = now
		i, err := s.module.Instantiate(x.ctx, call)
		if errors.Is(err, instance.ErrBudget) {
			started = time.Time{}
		}
		t.running = time.Now()
		t.instance = t.running.Sub(now)
		return i, err
	})
	if err != nil {
		return err
	}
	defer s.queue.ended()
	defer i.Close() // by this goroutine, and only when Run is over: its memory goes to another request
	err = i.Run(x.ctx)
	// A guest that a broken body or a late write made end by itself was stopped all the same.
	if cause := context.Cause(x.ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	if a.err != nil {
		return a.err
	}
	return err
}

// count adds up what a run took that queued at one time and started, if it did, at another.
func (x *exchange) count(queued, started time.Time) {
	now := time.Now()
	if started.IsZero() {
		started = now
	}
	x.queued += started.Sub(queued)
	x.ran += now.Sub(started)
}

// releaseWhenOver sees that a guest that waits for its client does not wait beyond the end of the request. What it returns ends that.
func (x *exchange) releaseWhenOver(a *answer) func() {
	released := make(chan struct{})
	stop := context.AfterFunc(x.ctx, func() {
		defer close(released)
		now := time.Now()
		_ = x.rc.SetReadDeadline(now)
		// As long as nothing is sent no write can be stuck, and the refusal is to be written yet.
		if a.sending.Load() {
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

// redirected is the request that a local redirect makes of this one: RFC 3875, 6.2.2. It has no body, for that was for the first.
func (x *exchange) redirected(to string) (*http.Request, error) {
	x.in.close(x.rc.SetReadDeadline) // reading it changes the request
	u, err := url.ParseRequestURI(to)
	if err != nil || strings.IndexByte(u.Path, 0) >= 0 {
		return nil, notHTTP("its Location, %.60q, is no path", to)
	}
	r := x.r.Clone(x.ctx)
	r.URL, r.RequestURI = u, to
	if r.Method != http.MethodHead {
		r.Method = http.MethodGet
	}
	r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
	r.Header.Del("Content-Type")
	r.Header.Del("Content-Length")
	r.Header.Del("Content-Encoding")
	return r, nil
}

// end ends the exchange, given how it went. a is nil when no guest ran.
func (x *exchange) end(a *answer, err error) {
	if err == nil {
		x.logRequest(a.head.code())
		return
	}
	f := refusalFor(err)
	if errors.Is(err, errCut) {
		x.server.cuts.Add(1)
	}
	if f.status != 0 && (a == nil || !a.sent) {
		x.logFailure(f.level, http.StatusText(f.status), err)
		x.refuse(f)
		return
	}
	x.logFailure(f.level, "cut short", err)
	if a != nil && a.sent && x.ctx.Err() == nil {
		_ = x.rc.Flush() // what the guest did say
	}
	// Cutting the connection is how a client learns that the answer is not whole.
	panic(http.ErrAbortHandler)
}

// leave stops reading the body. The guest is gone.
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
