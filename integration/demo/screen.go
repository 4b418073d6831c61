package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// screen prints steps with numbers; in colour on a terminal only.
type screen struct {
	mu            sync.Mutex // guards w: sidecars that start at once are noted as they are ready
	w             io.Writer
	steps         int
	bold, dim, no string
}

func newScreen(f *os.File) *screen {
	s := &screen{w: f}
	if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" {
		s.bold, s.dim, s.no = "\x1b[1m", "\x1b[2m", "\x1b[0m"
	}
	return s
}

func (s *screen) step(format string, args ...any) {
	s.steps++
	fmt.Fprintf(s.w, "\n%s%d. %s%s\n", s.bold, s.steps, fmt.Sprintf(format, args...), s.no)
}

func (s *screen) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.w, "   %s\n", fmt.Sprintf(format, args...))
}

// asked shows a command and what it answered.
func (s *screen) asked(command, answer string) {
	fmt.Fprintf(s.w, "   %s$ %s%s\n", s.dim, command, s.no)
	for line := range strings.Lines(strings.TrimSpace(answer)) {
		fmt.Fprintf(s.w, "     %s\n", strings.TrimRight(line, "\n"))
	}
}
