package main

import (
	"github.com/mayfly-run/mayfly/internal/control"
)

// figures are those of the server, for the holder to keep: it tells them to who asks, also when this engine has gone.
func (l *link) figures() string {
	s := l.server.Load()
	if s == nil {
		return ""
	}
	f := control.Figures(s.Figures())
	return f.String()
}
