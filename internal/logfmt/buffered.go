package logfmt

import (
	"bytes"
	"io"
	"sync"
	"time"
)

const (
	// bufferSize is how much of a log waits for its reader, in bytes. What waits is memory of the process.
	bufferSize = 1 << 20
	// patience is how long a writer waits for room. It is for a reader that is slow for a moment, not for one that is gone.
	patience = 100 * time.Millisecond
	// flushTime is how long Close waits for the reader.
	flushTime = time.Second
	// pieceSize is how much is written at once, in bytes: what a pipe takes, so that progress shows soon.
	pieceSize = 64 << 10
	// keepSize is the largest buffer, in bytes, that is kept for the next line.
	keepSize = 16 << 10
)

// Buffered is a log that holds up nobody when it is not read. Lines wait in a buffer; when that stays full they are lost, and how
// many were, a line in their place tells once there is room again.
//
// Its methods may be called by several goroutines. Lines of one caller stay in order.
type Buffered struct {
	w    io.Writer
	form Options       // of the line that tells of losses
	size int           // of the buffer
	done chan struct{} // closed when the goroutine that writes is gone

	mu        sync.Mutex
	change    *sync.Cond    // the goroutine waits for it: there is something to write, or it is to end
	room      chan struct{} // closed when a piece has been written; nil when nobody waits for that
	waiting   []byte
	writing   int       // bytes of the piece that is being written
	full      time.Time // since when the buffer has been too full for a line; zero when it is not
	lost      int       // lines
	closed    bool
	abandoned bool // Close has waited long enough
}

// NewBuffered returns a log that is written to w; o is the form of its lines. It starts a goroutine, which Close ends.
func NewBuffered(w io.Writer, o Options) *Buffered { return newBuffered(w, o, bufferSize) }

func newBuffered(w io.Writer, o Options, size int) *Buffered {
	b := &Buffered{w: w, form: o, size: size, done: make(chan struct{})}
	b.change = sync.NewCond(&b.mu)
	go b.run()
	return b
}

// Write takes whole lines. It never fails and never takes long: lines that find no room are lost.
//
// All writers together wait no longer than patience until half of the buffer has been read. Were it each of them, they would
// wait for each other in the locks above this, and the last one for very long.
func (b *Buffered) Write(lines []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.take(lines) {
		if !b.await() {
			b.lose(lines)
			break
		}
	}
	return len(lines), nil
}

// take puts lines into the buffer if there is room. The caller holds mu.
func (b *Buffered) take(lines []byte) bool {
	if b.closed || b.lost > 0 || len(b.waiting)+b.writing+len(lines) > b.size {
		return false
	}
	b.waiting = append(b.waiting, lines...)
	b.change.Signal()
	return true
}

// await waits for a piece to be written, and reports whether one was. The caller holds mu.
func (b *Buffered) await() bool {
	if b.closed || b.lost > 0 {
		return false
	}
	if b.full.IsZero() {
		b.full = time.Now()
	}
	left := patience - time.Since(b.full)
	if left <= 0 {
		return false
	}
	if b.room == nil {
		b.room = make(chan struct{})
	}
	room := b.room
	b.mu.Unlock()
	defer b.mu.Lock()
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-room:
		return true
	case <-timer.C:
		return false
	}
}

// lose counts lines that found no room. The caller holds mu.
func (b *Buffered) lose(lines []byte) {
	b.lost += bytes.Count(lines, []byte("\n"))
	b.resume() // the buffer may have been read just now, or the lines are larger than it is
}

// resume ends a time of losses when half of the buffer has been read. The caller holds mu.
func (b *Buffered) resume() {
	if b.closed || len(b.waiting)+b.writing > b.size/2 {
		return
	}
	b.full = time.Time{}
	b.tellLosses()
}

// run writes what waits until Close.
func (b *Buffered) run() {
	defer close(b.done)
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for len(b.waiting) == 0 && !b.closed {
			b.change.Wait()
		}
		if len(b.waiting) == 0 || b.abandoned {
			return
		}
		b.writePiece()
	}
}

// writePiece writes the first of what waits. The caller holds mu, which is free meanwhile.
func (b *Buffered) writePiece() {
	piece := b.waiting[:min(len(b.waiting), pieceSize)]
	b.waiting = b.waiting[len(piece):]
	b.writing = len(piece)
	b.mu.Unlock()
	_, _ = b.w.Write(piece) // a log that fails has nowhere to say so
	b.mu.Lock()
	b.writing = 0
	if len(b.waiting) == 0 && cap(b.waiting) > 0 {
		b.waiting = nil
		if cap(piece) <= keepSize {
			b.waiting = piece[:0]
		}
	}
	b.resume()
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
}

// tellLosses says in the place of lines that were lost how many they are. The caller holds mu.
func (b *Buffered) tellLosses() {
	if b.lost == 0 {
		return
	}
	var line bytes.Buffer
	New(&line, b.form).Warn("lines were lost because nobody read the log", "lines", b.lost)
	b.waiting = append(b.waiting, line.Bytes()...)
	b.lost = 0
	b.change.Signal()
}

// Close writes what waits, for at most flushTime. It returns even when the last write is stuck: the goroutine in it is then left to
// the end of the process, or of the write. Lines that come after Close are dropped.
func (b *Buffered) Close() {
	b.mu.Lock()
	if !b.closed {
		b.tellLosses()
		b.closed = true
		b.change.Signal()
	}
	b.mu.Unlock()
	timer := time.NewTimer(flushTime)
	defer timer.Stop()
	select {
	case <-b.done:
		return
	case <-timer.C:
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.abandoned = true
}
