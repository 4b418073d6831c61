// Package progress tells a person who waits what is being done.
//
// It is for programs that work for minutes: the command line's, the
// benchmarks' and the lab's. It is no log.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/logfmt"
)

// Progress tells a person, line by line, what is being built and how long it
// took. On a terminal the line of what is under way is rewritten when it ends.
type Progress struct {
	mu  sync.Mutex // guards w: builds of several things may overlap
	w   io.Writer
	tty bool
	// colour is for marks, on a terminal whose user has not said otherwise.
	colour bool
}

// New writes to w, usually the standard error.
func New(w io.Writer) *Progress {
	p := &Progress{w: w}
	if f, ok := w.(*os.File); ok {
		st, err := f.Stat()
		p.tty = err == nil && st.Mode()&os.ModeCharDevice != 0
		p.colour = logfmt.Colour(f)
	}
	return p
}

// Do runs one step of work and reports its name, its time and, when it failed,
// that it did.
func (p *Progress) Do(what string, work func() error) error {
	start := time.Now()
	p.begin(what)
	err := work()
	p.end(what, time.Since(start), err)
	return err
}

// Doing says on a terminal what the step that is under way does just now. Elsewhere a line for each would be too many.
func (p *Progress) Doing(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tty {
		fmt.Fprintf(p.w, "\r\x1b[K  … %s", what)
	}
}

func (p *Progress) begin(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tty {
		fmt.Fprintf(p.w, "  … %s", what)
	} else {
		fmt.Fprintf(p.w, "  … %s\n", what)
	}
}

func (p *Progress) end(what string, took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	mark, colour, back := "✓", "32", ""
	if err != nil {
		mark, colour = "✗", "31"
	}
	if p.colour {
		mark = "\x1b[" + colour + "m" + mark + "\x1b[0m"
	}
	if p.tty {
		back = "\r\x1b[K"
	}
	fmt.Fprintf(p.w, "%s  %s %s (%.1f s)\n", back, mark, what, took.Seconds())
}
