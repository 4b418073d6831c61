package wasihttp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxRequestHead is what a request's line and header may have, in bytes; net/http lets pass 4 KiB more in HTTP/1.
	maxRequestHead = 64 << 10
	// readHeaderTimeout is how long a new connection's first request may take to come. Then one of HTTP/1 is closed, one of HTTP/2 idle.
	readHeaderTimeout = 10 * time.Second
	// keepAlive is how long a connection without requests stays.
	keepAlive = 2 * time.Minute
	// trimAfter is how long no request is in flight before memory goes back to the system.
	trimAfter = 3 * time.Second
	// silence is how long a draining server waits for the first byte on a new connection.
	silence = time.Second
	// lastWords is how long clients may take to receive the last of an answer.
	lastWords = time.Second
)

// ErrIdle is returned by [Server.Serve] when no request came for the sidecar's idle timeout.
var ErrIdle = errors.New("no request came for the idle timeout")

// Serve answers requests until ctx ends, then finishes those in flight for at most the sidecar's drain timeout and returns nil;
// or until there was none for the idle timeout, and returns [ErrIdle]. It may be called once.
//
// It owns the listeners and first, connections that somebody accepted already: all are closed when it returns. That closes no
// socket of which another process has a descriptor: connections not yet accepted stay in its queue.
func (s *Server) Serve(ctx context.Context, ls []net.Listener, first []net.Conn) error {
	if len(ls) == 0 {
		return errors.New("serve: there is no listener")
	}
	if s.config.HeapFloor > 0 {
		defer tuneCollector(s.config.HeapFloor)()
	}
	v := &service{Server: s, failed: make(chan error, len(ls)), memory: trimmer{kept: s.config.Trim}, http: &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		MaxHeaderBytes:    maxRequestHead,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       keepAlive,
		Protocols:         new(http.Protocols),
		BaseContext:       func(net.Listener) context.Context { return s.life },
		ConnContext:       withConn,
		ConnState:         s.observe,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
		// "OPTIONS *" is the guest's to answer: it alone knows what is there.
		DisableGeneralOptionsHandler: true,
	}}
	v.http.Protocols.SetHTTP1(true)
	v.http.Protocols.SetUnencryptedHTTP2(true)
	for _, l := range ls {
		v.open(newDoor(l, first))
		first = nil
	}
	err := v.attend(ctx)
	v.close()
	return err
}

// observe is [http.Server.ConnState].
func (s *Server) observe(c net.Conn, state http.ConnState) {
	if own, ok := c.(*conn); ok {
		state = s.observeOwn(own, state)
	}
	s.tally.observe(c, state)
}

// observeOwn returns what state the connection really is in. To net/http one of HTTP/2 is idle before its first request, when the client
// has only said that it speaks HTTP/2. An engine that left then would send away who woke it.
func (s *Server) observeOwn(c *conn, state http.ConnState) http.ConnState {
	if c.expect != nil {
		c.expect.Stop()
	}
	if state != http.StateIdle {
		return state
	}
	c.rest()
	if c.asked.Load() {
		return state
	}
	c.expect = time.AfterFunc(readHeaderTimeout, func() { s.tally.silent(c) })
	return http.StateNew
}

// service is a Server while it serves. Its methods are called by one goroutine.
type service struct {
	*Server
	http    *http.Server
	doors   []*door
	accepts sync.WaitGroup
	failed  chan error // of accepting
	memory  trimmer
}

// open begins to accept.
func (v *service) open(d *door) {
	v.doors = append(v.doors, d)
	v.accepts.Go(func() {
		err := v.http.Serve(d)
		close(d.gone)
		v.failed <- err
	})
}

// attend waits for what ends the service.
func (v *service) attend(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	trimmed := time.Time{} // the quiet since then has been used to give memory back
	for {
		since, quiet := v.tally.quiet(trimmed)
		if quiet {
			age, idle := time.Since(since), v.config.Sidecar.IdleTimeout
			switch {
			case idle >= 0 && age >= idle:
				if v.leave() {
					return ErrIdle
				}
				continue
			case age >= trimAfter && since != trimmed:
				v.memory.trim()
				trimmed = since
				continue
			case since != trimmed:
				timer.Reset(trimAfter - age)
			}
			if idle >= 0 && (since == trimmed || idle < trimAfter) {
				timer.Reset(idle - age)
			}
		}
		select {
		case <-timer.C:
		case <-v.tally.changed:
		case err := <-v.failed:
			return err
		case <-ctx.Done():
			v.drain()
			return nil
		}
	}
}

// leave stops accepting if it finds that really nobody is there, and reports whether it did.
//
// A connection that came in the last moment has been accepted, and then it is in the tally, or it has not, and then it waits for
// who accepts next.
func (v *service) leave() bool {
	for _, d := range v.doors {
		d.shut()
	}
	// This closes connections that are idle. One whose client begins to speak now is lost to it, as ever with keep-alive: it
	// sees that nothing was answered and asks again.
	v.http.SetKeepAlivesEnabled(false)
	if busy, _ := v.tally.count(); busy == 0 {
		return true
	}
	v.http.SetKeepAlivesEnabled(true)
	for _, d := range v.doors {
		d.unshut()
	}
	return false
}

// drain stops accepting and waits for the requests in flight.
func (v *service) drain() {
	v.draining.Store(true)
	before := v.served.Load()
	v.config.Log.Info("stopping: no new connections, requests in flight may finish", "within", v.config.Sidecar.DrainTimeout)
	for _, d := range v.doors {
		d.shut() // so that all connections that were handed over are served
		_ = d.Close()
	}
	v.http.SetKeepAlivesEnabled(false)
	timeout := time.NewTimer(v.config.Sidecar.DrainTimeout)
	defer timeout.Stop()
	silent := time.NewTimer(silence)
	defer silent.Stop()
	patient := true
wait:
	for {
		busy, fresh := v.tally.count()
		if busy == 0 || busy == fresh && !patient {
			break
		}
		select {
		case <-v.tally.changed:
		case <-silent.C:
			patient = false
		case <-timeout.C:
			break wait
		case <-v.life.Done():
			break wait
		}
	}
	v.Cut()
	v.wait()
	cut := v.cuts.Load()
	v.config.Log.Info("stopped", "finished", v.served.Load()-before-cut, "cut", cut)
}

// close ends what is left and waits for it.
func (v *service) close() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	// It would wait by polling; told that it has no time it sends HTTP/2 clients their goodbye and returns.
	_ = v.http.Shutdown(over)
	v.Cut()
	v.wait()
	v.settle()
	_ = v.http.Close()
	for _, d := range v.doors {
		_ = d.Close()
	}
	v.accepts.Wait()
}

// settle waits a moment for answers that are written and not sent yet: net/http sends them when their handlers have returned.
func (v *service) settle() {
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	for {
		if busy, fresh := v.tally.count(); busy == fresh {
			return
		}
		select {
		case <-v.tally.changed:
		case <-timer.C:
			return
		}
	}
}
