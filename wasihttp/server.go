package wasihttp

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/mayfly-run/mayfly/internal/config"
)

// settings are what a [Server] needs beside the module.
type settings struct {
	Sidecar config.Sidecar
	Log     *slog.Logger

	// GuestLog takes what guests write to standard error, whole lines at a time: as written, or as JSON objects when
	// Sidecar.JSONLog is set. A guest waits while it writes, beyond its timeout too: so does who logs to Log. For what may not be
	// read there is [logfmt.Buffered].
	GuestLog io.Writer

	// MaxInstances bounds the instances alive at once; at least 1. A request above it waits for at most half of Sidecar.Timeout and
	// is then turned away with 503; one that starts has at least the other half to run.
	MaxInstances int

	// HeapFloor is up to where Go's heap grows before it is collected, in bytes, whatever of it is in use; 0: as Go has it.
	HeapFloor uint64

	// Trim gives back the memory that is kept for the next instances, when there will be none for a while. nil: nothing is kept.
	Trim func() bool
}

// Server answers HTTP requests with instances of one module or component.
type Server struct {
	config settings
	app    application
	queue  *queue
	tally  *tally
	guests guestLog

	// life ends when what is in flight is to be cut.
	life context.Context
	cut  context.CancelCauseFunc

	begun    atomic.Int64  // requests
	served   atomic.Int64  // of them, those that are over
	cuts     atomic.Int64  // of these, those that were cut
	refused  atomic.Uint64 // and those that were turned away
	failures atomic.Uint64 // and those that mayfly ended for other reasons
	probes   atomic.Uint64 // answered beside them
	draining atomic.Bool

	// handlers is held for reading by each request: who gets it for writing knows that all are over.
	handlers sync.RWMutex
}

// newServer returns a Server of an application.
func newServer(c settings, app application) *Server {
	life, cut := context.WithCancelCause(context.Background())
	return &Server{
		config: c,
		app:    app,
		queue:  newQueue(max(c.MaxInstances, 1)),
		tally:  newTally(),
		guests: guestLog{w: c.GuestLog, json: c.Sidecar.JSONLog},
		life:   life,
		cut:    cut,
	}
}

// Cut ends all requests in flight at once, and those that come after it.
func (s *Server) Cut() { s.cut(errCut) }

// wait returns when no request is in flight.
func (s *Server) wait() {
	s.handlers.Lock()
	defer s.handlers.Unlock()
}
