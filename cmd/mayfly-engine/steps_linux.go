package main

import (
	"log/slog"
	"time"
)

// begun is when the packages that this program is made of were ready.
var begun = time.Now()

// steps are what an engine spends its start on. Who wants to know sees them with MAYFLY_LOG_LEVEL=debug; integration/cmd/wake prints them.
type steps struct {
	last time.Time
	all  []any // for a log: names and times
}

// done notes that a step is over.
func (s *steps) done(name string) {
	now := time.Now()
	if s.last.IsZero() {
		s.last = begun
	}
	s.all = append(s.all, name, now.Sub(s.last).Round(time.Microsecond))
	s.last = now
}

func (s *steps) logTo(log *slog.Logger) { log.Debug("started", s.all...) }
