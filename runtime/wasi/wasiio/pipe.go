package wasiio

import (
	"io"
	"sync"
)

// pipeCapacity is how much is written before it has been read.
const pipeCapacity = 64 << 10

// pipe is what the two ends of Pipe share.
type pipe struct {
	signal Signal // for the writer's end

	mu       sync.Mutex
	changed  *sync.Cond // for the reader's end: there is something to read
	buf      []byte     // written and not yet read: from off
	off      int
	flushing bool
	writeErr error // what the reader is told after the bytes; nil: more may come
	readErr  error // what the writer is told; nil: there is a reader still
}

// PipeWriter is the end that the guest writes: an output stream.
type PipeWriter struct{ p *pipe }

// PipeReader is the end that the host reads.
type PipeReader struct{ p *pipe }

var (
	_ OutputStream  = (*PipeWriter)(nil)
	_ io.ReadCloser = (*PipeReader)(nil)
)

// Pipe returns the ends of a bounded pipe, from a guest to a goroutine of the host. The guest never waits in it: it sees by check-write
// that there is no room.
func Pipe() (*PipeReader, *PipeWriter) {
	p := &pipe{}
	p.changed = sync.NewCond(&p.mu)
	return &PipeReader{p}, &PipeWriter{p}
}

func (p *pipe) pending() int { return len(p.buf) - p.off }

// CheckWrite implements OutputStream.
func (w *PipeWriter) CheckWrite() (int, error) {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readErr != nil:
		return 0, p.readErr
	case p.flushing:
		return 0, nil
	}
	return pipeCapacity - p.pending(), nil
}

// Write implements OutputStream.
func (w *PipeWriter) Write(b []byte) error {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readErr != nil {
		return p.readErr
	}
	if p.off > 0 && len(p.buf)+len(b) > cap(p.buf) {
		p.buf = p.buf[:copy(p.buf, p.buf[p.off:])]
		p.off = 0
	}
	p.buf = append(p.buf, b...)
	p.changed.Signal()
	return nil
}

// Flush implements OutputStream: it is done when everything has been read.
func (w *PipeWriter) Flush() error {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readErr != nil {
		return p.readErr
	}
	p.flushing = p.pending() > 0
	return nil
}

// Ready implements Pollable.
func (w *PipeWriter) Ready() bool {
	n, err := w.CheckWrite()
	return n > 0 || err != nil
}

// Watch implements Pollable.
func (w *PipeWriter) Watch(wake func()) (stop func()) {
	stop = w.p.signal.Watch(wake)
	if w.Ready() {
		wake()
	}
	return stop
}

// Close implements OutputStream. The reader reads what is in the pipe, then io.EOF.
func (w *PipeWriter) Close() error {
	w.CloseWithError(io.EOF)
	return nil
}

// CloseWithError has the reader read what is in the pipe, then err. Only the first call of Close or CloseWithError counts.
func (w *PipeWriter) CloseWithError(err error) {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeErr == nil {
		p.writeErr = err
	}
	p.changed.Signal()
}

// Read waits for bytes or for the writer's end to be closed.
func (r *PipeReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, wake, err := r.read(b)
	if wake {
		r.p.signal.Notify()
	}
	return n, err
}

func (r *PipeReader) read(b []byte) (n int, wake bool, err error) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pending() == 0 {
		switch {
		case p.readErr != nil:
			return 0, false, io.ErrClosedPipe
		case p.writeErr != nil:
			return 0, false, p.writeErr
		}
		p.changed.Wait()
	}
	// Who waits for room waits for a pipe that was full, or for a flush.
	full := p.pending() >= pipeCapacity
	n = copy(b, p.buf[p.off:])
	p.off += n
	if p.pending() > 0 {
		return n, full && !p.flushing, nil
	}
	wake = full || p.flushing
	p.buf, p.off, p.flushing = p.buf[:0], 0, false
	return n, wake, nil
}

// Close lets the writer write no more: it is told that the stream is closed. A Read in progress returns.
func (r *PipeReader) Close() error {
	r.CloseWithError(ErrClosed)
	return nil
}

// CloseWithError does as Close, but the writer is told of err. Only the first call of Close or CloseWithError counts.
func (r *PipeReader) CloseWithError(err error) {
	p := r.p
	p.mu.Lock()
	if p.readErr == nil {
		p.readErr = err
	}
	p.buf, p.off, p.flushing = nil, 0, false
	p.changed.Signal()
	p.mu.Unlock()
	p.signal.Notify()
}
