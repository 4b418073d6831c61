package wasihttp

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// Config is what a [Server] needs beside the module.
type Config struct {
	Sidecar config.Sidecar
	Env     []string // of the guest, KEY=VALUE; the variables of CGI come on top
	Args    []string
	FS      wazero.FSConfig
	Log     *slog.Logger

	// GuestLog takes what guests write to standard error, whole lines at a time: as written, or as JSON objects when
	// Sidecar.JSONLog is set. A guest waits while it writes, beyond its timeout too: so does who logs to Log. For what may not be
	// read there is [logfmt.Buffered].
	GuestLog io.Writer

	// MaxInstances bounds the instances alive at once; at least 1. A request above it waits for at most half of Sidecar.Timeout and
	// is then turned away with 503; one that starts has at least the other half to run.
	MaxInstances int
}

// Server answers HTTP requests with instances of one module.
type Server struct {
	config Config
	module *instance.Module
	env    environ
	queue  *queue
	guests *guestLog

	// life ends when what is in flight is to be cut.
	life context.Context
	cut  context.CancelCauseFunc

	served atomic.Int64 // requests that are over
	cuts   atomic.Int64 // of them, those that were cut

	// handlers is held for reading by each request: who gets it for writing knows that all are over.
	handlers sync.RWMutex
}

// NewServer returns a Server for m.
func NewServer(c Config, m *instance.Module) *Server {
	life, cut := context.WithCancelCause(context.Background())
	return &Server{
		config: c,
		module: m,
		env:    newEnviron(c.Env),
		queue:  newQueue(max(c.MaxInstances, 1)),
		guests: &guestLog{w: c.GuestLog, json: c.Sidecar.JSONLog},
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
