package wasihttp

import (
	"errors"
	"io"
	"sync"
	"time"
)

var errGivenUp = errors.New("the guest has ended")

// stdin is the standard input of a command, of which a read can be given up: a guest that has ended waits for nobody to type.
//
// Where the system cannot end a read it goes on, on a goroutine of its own, until something comes or the process ends: at most one
// does, and what it reads is lost, as it would be to a guest that has ended.
type stdin struct {
	r       io.Reader
	given   chan struct{} // closed when reads are given up
	give    sync.Once
	results chan result
	buf     []byte
}

type result struct {
	n   int
	err error
}

func newStdin(r io.Reader) *stdin {
	return &stdin{r: r, given: make(chan struct{}), results: make(chan result, 1)}
}

// Read implements io.Reader. It is called by one goroutine.
func (s *stdin) Read(p []byte) (int, error) {
	if len(s.buf) < len(p) {
		s.buf = make([]byte, len(p))
	}
	buf := s.buf[:len(p)]
	go func() {
		n, err := s.r.Read(buf)
		s.results <- result{n, err}
	}()
	select {
	case got := <-s.results:
		return copy(p, buf[:got.n]), got.err
	case <-s.given:
		return 0, errGivenUp
	}
}

// stop makes a Read return. There will be no other.
func (s *stdin) stop() {
	if f, ok := s.r.(interface{ SetReadDeadline(time.Time) error }); ok && f.SetReadDeadline(time.Now()) == nil {
		return
	}
	s.give.Do(func() { close(s.given) })
}
