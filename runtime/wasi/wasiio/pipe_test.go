package wasiio

import (
	"io"
	"sync"
)

const pipeCapacity = 64 << 10

// pipe is an output stream with back-pressure: what one goroutine writes as a guest, another reads.
type pipe struct {
	Signal

	mu       sync.Mutex
	changed  *sync.Cond
	buf      []byte
	flushing bool
	closed   bool
}

func newPipe() *pipe {
	p := &pipe{}
	p.changed = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) CheckWrite() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flushing {
		return 0, nil
	}
	return pipeCapacity - len(p.buf), nil
}

func (p *pipe) Write(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buf = append(p.buf, b...)
	p.changed.Signal()
	return nil
}

func (p *pipe) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushing = len(p.buf) > 0
	return nil
}

func (p *pipe) Ready() bool {
	n, _ := p.CheckWrite()
	return n > 0
}

func (p *pipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.changed.Signal()
	return nil
}

// Read is the other end. It waits.
func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	for len(p.buf) == 0 && !p.closed {
		p.changed.Wait()
	}
	n := copy(b, p.buf)
	p.buf = p.buf[n:]
	if len(p.buf) == 0 {
		p.flushing = false
	}
	p.mu.Unlock()
	if n == 0 {
		return 0, io.EOF
	}
	p.Notify()
	return n, nil
}
