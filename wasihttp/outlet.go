package wasihttp

import (
	"net/http"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

const (
	// outletSize bounds what a guest has written and its reader has not taken, in bytes; a reader has as much in its hands at most.
	outletSize = 64 << 10
	// worthSending is how much of it does not wait for more to come.
	worthSending = 16 << 10
	// flushExpected is flushAfter while the client waits to be told whether its body is wanted, about as long as clients do: an answer
	// that comes first says that it is not, and the guest may be about to read it.
	flushExpected = time.Second
)

// ending is how a body that a guest writes ends.
type ending int

const (
	open     ending = iota // it goes on
	finished               // it is whole
	broken                 // the guest left it, or the other side takes no more
)

// outlet is the body of a message that a guest writes: a bounded buffer between its output-stream and who sends it, its reader.
//
// The reader is told when there is something to send, by a value in poke. What the guest writes in small pieces, and flushes, may wait
// for flushAfter for more to come, so that a small answer is one packet with a length; unless the reader is eager.
type outlet struct {
	poke     chan struct{} // of a response: nil until it is set
	eager    bool
	response bool
	request  *body         // that a response answers; nil: none
	signal   wasiio.Signal // there is room

	// The guest's goroutine alone touches these.
	guest *guest // that holds the body; nil: nobody does any more
	held  bool   // it has been counted

	mu       sync.Mutex // guards what follows
	buf      []byte     // written, and not taken
	declared int64      // what the message announces as its length; -1: nothing
	written  int64
	ending   ending
	err      error       // why the other side takes no more
	trailers http.Header // of a body that is finished
	soonest  *alarm      // pokes; nil: it will not
	due      bool        // the reader has been told, and has not taken what there is
}

func newOutlet(declared int64, response bool) *outlet {
	o := &outlet{declared: declared, response: response}
	if !response {
		o.poke = make(chan struct{}, 1)
	}
	return o
}

// room is how much a guest may write now.
func (o *outlet) room() (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	return max(outletSize-len(o.buf), 0), nil
}

// write takes what the guest writes.
func (o *outlet) write(p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	o.written += int64(len(p))
	if o.declared >= 0 && o.written > o.declared {
		return o.wrongSize()
	}
	o.buf = append(o.buf, p...)
	if o.eager || len(o.buf) >= worthSending {
		o.push()
		return nil
	}
	o.soon()
	return nil
}

// wrongSize is what a guest is told that writes another number of bytes than it announced. The caller holds mu.
func (o *outlet) wrongSize() error {
	code := codeRequestBodySize
	if o.response {
		code = codeResponseBodySize
	}
	return &codeError{code: code, payload: abi.Some(abi.U64(uint64(o.written)))}
}

// soon sees that the reader is poked in a moment. The caller holds mu.
func (o *outlet) soon() {
	if o.soonest == nil {
		o.soonest = setAlarm(o.moment(), o)
	}
}

// moment is how long what is written waits for more.
func (o *outlet) moment() time.Duration {
	if o.request != nil && o.request.awaited() {
		return flushExpected
	}
	return flushAfter
}

// ring implements bell.
func (o *outlet) ring() { o.now() }

// now pokes the reader if there is something for it.
func (o *outlet) now() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.soonest != nil {
		o.push()
	}
}

// hush sees that the reader is not poked by and by. The caller holds mu.
func (o *outlet) hush() {
	if o.soonest != nil {
		o.soonest.cancel()
		o.soonest = nil
	}
}

// push pokes the reader. The caller holds mu.
func (o *outlet) push() {
	o.hush()
	o.due = true
	tell(o.poke)
}

// isDue reports whether the reader should take what there is.
func (o *outlet) isDue() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.due
}

// finish ends the body as the guest means it to end. trailers may be nil.
func (o *outlet) finish(trailers http.Header) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil // nobody cares any more, and the guest has been told or will be
	}
	defer o.push()
	if o.declared >= 0 && o.written != o.declared {
		o.ending = broken
		return o.wrongSize()
	}
	o.ending, o.trailers = finished, trailers
	return nil
}

// abort ends the body before its end, if it has not ended.
func (o *outlet) abort() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ending == open {
		o.ending = broken
		o.push()
	}
}

// refuse is the reader's: it takes no more, and the guest is told err.
func (o *outlet) refuse(err error) {
	o.mu.Lock()
	if o.err == nil {
		o.err = err
	}
	o.buf = nil
	o.push()
	o.mu.Unlock()
	o.signal.Notify()
}

// hold counts what the body may take of memory as the guest's, when something is written first; release is called when nothing of it is
// left.
func (o *outlet) hold() error {
	if o.held {
		return nil
	}
	if err := o.guest.hold(outletSize); err != nil {
		return err
	}
	o.held = true
	return nil
}

func (o *outlet) release() {
	if o.held {
		o.guest.release(outletSize)
	}
	o.guest = nil
}

// take is the reader's: it returns all that was written and not taken, and how the body ends behind that. p, whose content is not
// needed any more, is used for what comes.
func (o *outlet) take(p []byte) ([]byte, ending) {
	o.mu.Lock()
	if o.err != nil {
		o.mu.Unlock()
		return nil, broken
	}
	o.hush()
	o.due = false
	taken, end := o.buf, o.ending
	o.buf = p[:0]
	o.mu.Unlock()
	if len(taken) > 0 {
		o.signal.Notify()
	}
	return taken, end
}

// outletStream is the body's output-stream.
type outletStream struct {
	*outlet
	closed bool
}

var _ wasiio.OutputStream = (*outletStream)(nil)

// CheckWrite implements wasiio.OutputStream.
func (s *outletStream) CheckWrite() (int, error) { return s.room() }

// Write implements wasiio.OutputStream.
func (s *outletStream) Write(p []byte) error {
	if err := s.hold(); err != nil {
		return err
	}
	return s.write(p)
}

// Flush implements wasiio.OutputStream. What was written is on its way: nothing waits for longer than flushAfter.
func (s *outletStream) Flush() error { return nil }

// Ready implements wasiio.Pollable.
func (s *outletStream) Ready() bool {
	n, err := s.room()
	return n > 0 || err != nil
}

// Watch implements wasiio.Pollable. A guest that waits has said what it had to say for now.
func (s *outletStream) Watch(wake func()) (stop func()) {
	s.now()
	stop = s.signal.Watch(wake)
	if s.Ready() {
		wake()
	}
	return stop
}

// Close implements wasiio.OutputStream.
func (s *outletStream) Close() error {
	s.closed = true
	return nil
}
