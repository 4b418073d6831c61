//go:build linux

package sidecar

import (
	"fmt"
	"strings"
	"unicode"
)

// state is where a sidecar is in its life.
type state string

const (
	created  state = ""
	starting state = "starting"
	running  state = "running"
	exited   state = "exited"
)

// before lists, for each state, those it can be entered from.
var before = map[state][]state{
	created:  {starting},
	starting: {created},
	running:  {starting},
	exited:   {created, starting, running, exited},
}

// Begin says that the container is about to be started. It returns an error wrapping [ErrState] unless it was only created.
func (s *Sidecar) Begin() error { return s.become(starting) }

// Retreat says that the container was not started after all, and may be tried again.
func (s *Sidecar) Retreat() { _ = s.become(created) }

func (s *Sidecar) become(next state) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range before[next] {
		if s.state == st {
			s.state = next
			return nil
		}
	}
	return fmt.Errorf("%w: a sidecar that is %s cannot become %s", ErrState, s.state.word(), next.word())
}

func (s state) word() string {
	if s == created {
		return "created"
	}
	return string(s)
}

// printable makes text from inside a container fit to be shown in an event or a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
}
