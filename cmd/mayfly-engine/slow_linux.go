package main

import (
	"context"
	"net"
	"time"

	"github.com/mayfly-run/mayfly/internal/control"
)

// slowAfter is how long loading takes before the holder looks after who comes meanwhile. A probe has a second, by default, to be
// answered. Tests are less patient.
var slowAfter = 300 * time.Millisecond

// slow tells the holder when loading takes its time.
type slow struct {
	timer *time.Timer   // nil: nobody wants to know
	told  chan struct{} // closed when it was
}

// expectSlow begins to look at the time, if the holder wants to know.
func (e *engine) expectSlow() *slow {
	s := &slow{told: make(chan struct{})}
	if e.flags.take {
		s.timer = time.AfterFunc(slowAfter, func() {
			defer close(s.told)
			_ = e.link.send(control.Slow) // if the holder is gone, so are we
		})
	}
	return s
}

// over says that loading is, and reports whether the holder was told that it takes its time.
func (s *slow) over() bool {
	if s.timer == nil || s.timer.Stop() {
		return false
	}
	<-s.told
	return true
}

// taken are connections that the holder hands over.
type taken struct {
	fds     []int
	greeted bool
}

// take waits for the connections that came while the app was loaded.
func (l *link) take(ctx context.Context) (conns []net.Conn) {
	for {
		select {
		case t := <-l.taken:
			if len(t.fds) == 0 {
				return conns
			}
			if t.greeted {
				conns = append(conns, greetedConnections(t.fds)...)
			} else {
				conns = append(conns, connections(t.fds)...)
			}
		case <-ctx.Done():
			return conns
		}
	}
}
