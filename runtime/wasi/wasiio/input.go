package wasiio

import (
	"io"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// maxRead bounds what one call reads, whatever the guest asks for: it may ask for 2^64.
const maxRead = 64 << 10

// input is the resource wasi:io/streams.input-stream, and the pollables that come of it. It belongs to the guest's goroutine.
type input struct {
	stream  InputStream
	ended   bool // the guest has been told of the end or of an error
	dropped bool
}

// NewInput returns a handle of wasi:io/streams.input-stream. s is closed when the guest drops it.
func NewInput(s InputStream) component.Value { return abi.Resource(&input{stream: s}) }

// Renew implements component.Renewable, if the stream is a Renewable.
func (in *input) Renew(state any) (component.Value, bool) {
	s, ok := in.stream.(Renewable)
	if !ok || in.ended {
		return component.Value{}, false
	}
	return s.Renew(state), true
}

func inputOf(v component.Value) *input { return v.Resource().(*input) }

// read returns at most limit bytes, none if there are none yet.
func (in *input) read(limit uint64) ([]byte, error) {
	if in.ended {
		return nil, io.EOF
	}
	if limit == 0 {
		return nil, nil
	}
	b, err := in.stream.Read(int(min(limit, maxRead)))
	if err != nil {
		in.ended = true
		return nil, err
	}
	return b, nil
}

// blockingRead waits until there is something to read, even if limit is 0.
func (in *input) blockingRead(w waiter, limit uint64) ([]byte, error) {
	for limit > 0 {
		b, err := in.read(limit)
		if len(b) > 0 || err != nil {
			return b, err
		}
		if err := block(w, in); err != nil {
			return nil, fatal{err}
		}
	}
	if err := block(w, in); err != nil {
		return nil, fatal{err}
	}
	return in.read(0)
}

// Ready implements Pollable. The pollables of a stream that has gone are ready: who waits for one finds out.
func (in *input) Ready() bool { return in.ended || in.dropped || in.stream.Ready() }

// Watch implements Pollable.
func (in *input) Watch(wake func()) (stop func()) {
	if in.ended || in.dropped {
		return AlwaysReady{}.Watch(wake)
	}
	return in.stream.Watch(wake)
}

func (in *input) drop() {
	if in.dropped {
		return
	}
	in.dropped = true
	// The guest is past caring, and the embedder learns of what matters to it from the other side of the stream.
	_ = in.stream.Close()
}

// inputRead is wasi:io/streams.[method]input-stream.read.
func inputRead(_ *component.Call, args []component.Value) (component.Value, error) {
	b, err := inputOf(args[0]).read(args[1].U64())
	return result(abi.Bytes(b), err)
}

// inputBlockingRead is wasi:io/streams.[method]input-stream.blocking-read.
func inputBlockingRead(c *component.Call, args []component.Value) (component.Value, error) {
	b, err := inputOf(args[0]).blockingRead(c, args[1].U64())
	return result(abi.Bytes(b), err)
}

// inputSkip is wasi:io/streams.[method]input-stream.skip.
func inputSkip(_ *component.Call, args []component.Value) (component.Value, error) {
	b, err := inputOf(args[0]).read(args[1].U64())
	return result(abi.U64(uint64(len(b))), err)
}

// inputBlockingSkip is wasi:io/streams.[method]input-stream.blocking-skip.
func inputBlockingSkip(c *component.Call, args []component.Value) (component.Value, error) {
	b, err := inputOf(args[0]).blockingRead(c, args[1].U64())
	return result(abi.U64(uint64(len(b))), err)
}

// inputSubscribe is wasi:io/streams.[method]input-stream.subscribe.
func inputSubscribe(_ *component.Call, args []component.Value) (component.Value, error) {
	return NewPollable(inputOf(args[0])), nil
}
