package wasiio

// Pollable is what a guest can wait for: the resource wasi:io/poll.pollable.
type Pollable interface {
	// Ready reports, without waiting, whether there is something to do.
	Ready() bool
	// Watch arranges that wake is called when Ready may have become true, at any time, from any goroutine, more than once perhaps, and
	// at once if it is true already. What it returns ends that. wake does not block.
	Watch(wake func()) (stop func())
}

// InputStream is the resource wasi:io/streams.input-stream. A guest's calls come one at a time, from one goroutine. It is ready when Read
// would return anything.
type InputStream interface {
	Pollable
	// Read returns at most limit bytes without waiting. No bytes and no error: there are none yet. io.EOF: the end. Any other error is
	// told to the guest as last-operation-failed, and the stream is closed then. The slice belongs to the caller.
	Read(limit int) ([]byte, error)
	// Close is called once, when the guest drops the stream or ends.
	Close() error
}

// OutputStream is the resource wasi:io/streams.output-stream. A guest's calls come one at a time, from one goroutine. It is ready when
// CheckWrite would return something else than 0.
type OutputStream interface {
	Pollable
	// CheckWrite returns how many bytes Write takes now; 0: none yet. ErrClosed: the other side takes no more. Any other error is told to
	// the guest as last-operation-failed, and the stream is closed then.
	CheckWrite() (int, error)
	// Write takes p, which is not longer than CheckWrite allowed, and does not keep it.
	Write(p []byte) error
	// Flush begins to send on what was written. CheckWrite returns 0 until that is done.
	Flush() error
	// Close is called once, when the guest drops the stream or ends.
	Close() error
}
