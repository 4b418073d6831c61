package wasiio

import (
	"io"
	"slices"
	"sync"
)

const (
	// readAhead is how much is read before the guest has asked for it.
	readAhead = 64 << 10
	// readSize is how much is read at once.
	readSize = 32 << 10
)

// readerInput is an input stream of an io.Reader. A goroutine reads, from the first use of the stream until Close.
type readerInput struct {
	r       io.Reader
	unblock func()
	signal  Signal
	wg      sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond // there is room for more, or the stream is closed
	started bool
	closed  bool
	chunks  [][]byte // what has been read ahead
	size    int      // of all chunks
	err     error    // what ended reading, to be told after the chunks
}

// FromReader returns a stream of what r reads, on a goroutine of its own. When the stream is closed while a Read is in progress, unblock
// is called, from the goroutine that closes it: it must make that Read return, for Close waits for it. It may be nil if r does not wait.
func FromReader(r io.Reader, unblock func()) InputStream {
	s := &readerInput{r: r, unblock: unblock}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *readerInput) Read(limit int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	if len(s.chunks) == 0 {
		return nil, s.err
	}
	b := s.chunks[0]
	if len(b) > limit {
		b, s.chunks[0] = b[:limit:limit], b[limit:]
	} else {
		s.chunks = slices.Delete(s.chunks, 0, 1)
	}
	s.size -= len(b)
	s.changed.Signal()
	return b, nil
}

func (s *readerInput) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	return len(s.chunks) > 0 || s.err != nil || s.closed
}

func (s *readerInput) Watch(wake func()) (stop func()) {
	stop = s.signal.Watch(wake)
	if s.Ready() {
		wake()
	}
	return stop
}

func (s *readerInput) Close() error {
	s.mu.Lock()
	s.closed = true
	s.chunks = nil
	reading := s.started && s.err == nil
	s.mu.Unlock()
	s.changed.Signal()
	if reading && s.unblock != nil {
		s.unblock()
	}
	s.wg.Wait()
	s.signal.Notify()
	return nil
}

// start is called with the lock held.
func (s *readerInput) start() {
	if !s.started && !s.closed {
		s.started = true
		s.wg.Go(s.readAhead)
	}
}

func (s *readerInput) readAhead() {
	var buf []byte
	for s.wait() {
		if buf == nil {
			buf = make([]byte, readSize)
		}
		n, err := s.r.Read(buf)
		chunk := buf[:n]
		if n < len(buf)/2 {
			// A large buffer is not kept for a few bytes.
			chunk = slices.Clone(chunk)
		} else {
			buf = nil
		}
		if s.add(chunk, err) {
			s.signal.Notify()
		}
	}
}

// wait waits until there is room for more, and reports whether more is wanted.
func (s *readerInput) wait() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.size >= readAhead && !s.closed {
		s.changed.Wait()
	}
	return !s.closed && s.err == nil
}

// add reports whether anything is new.
func (s *readerInput) add(chunk []byte, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(chunk) > 0 && !s.closed {
		s.size += len(chunk)
		// Small chunks are joined: their number is bounded too.
		if last := len(s.chunks) - 1; last >= 0 && len(s.chunks[last])+len(chunk) <= readSize {
			s.chunks[last] = append(s.chunks[last], chunk...)
		} else {
			s.chunks = append(s.chunks, chunk)
		}
	}
	s.err = err
	return len(chunk) > 0 || err != nil
}
