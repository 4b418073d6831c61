package wasiio

import (
	"errors"

	"github.com/mayfly-run/mayfly/runtime/component"
)

// ErrClosed says that the other side of an output stream takes no more. What a guest is told is wasi:io/streams.stream-error.closed.
var ErrClosed = errors.New("the stream is closed")

// Pollable is what a guest can wait for: the resource wasi:io/poll.pollable, which [NewPollable] makes of it.
type Pollable interface {
	// Ready reports, without waiting, whether there is something to do.
	Ready() bool
	// Watch arranges that wake is called when Ready may have become true, at any time, from any goroutine, more than once perhaps, and
	// at once if it is true already. What it returns ends that; it may be called after the Pollable's owner has been closed. wake does
	// not block.
	Watch(wake func()) (stop func())
}

// Renewable is a stream that every instance can have one like, whatever was done with this one: it makes the handle, for the instance with that
// [component.Call] state. An output stream made so takes what CheckWrite of this one has permitted, without being asked.
type Renewable interface {
	Renew(state any) component.Value
}

// InputStream is the resource wasi:io/streams.input-stream, which [NewInput] makes of it. A guest's calls come one at a time, from one
// goroutine. It is ready when Read would return anything.
type InputStream interface {
	Pollable
	// Read returns at most limit bytes, which is more than 0, without waiting. No bytes and no error: there are none yet. io.EOF: the
	// end. Any other error is told to the guest as last-operation-failed, and the stream is closed then. It returns either bytes or
	// an error. The slice belongs to the caller.
	Read(limit int) ([]byte, error)
	// Close is called once, when the guest drops the stream or ends. Ready and Watch may be called after it.
	Close() error
}

// OutputStream is the resource wasi:io/streams.output-stream, which [NewOutput] makes of it. A guest's calls come one at a time, from
// one goroutine. It is ready when CheckWrite would return something else than 0.
type OutputStream interface {
	Pollable
	// CheckWrite returns how many bytes Write takes now; 0: none yet. ErrClosed: the other side takes no more. Any other error is told to
	// the guest as last-operation-failed, and the stream is closed then.
	CheckWrite() (int, error)
	// Write takes p, and does not keep it. All that is written between two calls of CheckWrite is no more than the first allowed.
	Write(p []byte) error
	// Flush begins to send on what was written. CheckWrite returns 0 until that is done.
	Flush() error
	// Close is called once, when the guest drops the stream or ends. Ready and Watch may be called after it.
	Close() error
}
