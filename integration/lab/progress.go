package lab

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Progress tells a person, line by line, what is being built and how long it
// took. On a terminal the line of what is under way is rewritten when it ends.
type Progress struct {
	mu  sync.Mutex // guards w: builds of several things may overlap
	w   io.Writer
	tty bool
}

// NewProgress writes to f, usually the standard error.
func NewProgress(f *os.File) *Progress {
	st, err := f.Stat()
	return &Progress{w: f, tty: err == nil && st.Mode()&os.ModeCharDevice != 0}
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
	mark, back := "✓", ""
	if err != nil {
		mark = "✗"
	}
	if p.tty {
		back = "\r\x1b[K"
	}
	fmt.Fprintf(p.w, "%s  %s %s (%.1f s)\n", back, mark, what, took.Seconds())
}
