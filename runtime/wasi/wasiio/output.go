package wasiio

import (
	"errors"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

const (
	// maxPermit bounds what check-write allows, whatever the stream would take: write-zeroes costs the guest nothing.
	maxPermit = 1 << 20
	// maxBlockingWrite is what blocking-write-and-flush takes, by the specification.
	maxBlockingWrite = 4096
)

var zeroes [16 << 10]byte

// output is the resource wasi:io/streams.output-stream, and the pollables that come of it. It belongs to the guest's goroutine.
type output struct {
	stream  OutputStream
	permit  int  // what may be written still
	closed  bool // the guest has been told so, or of an error
	dropped bool
}

// NewOutput returns a handle of wasi:io/streams.output-stream. s is closed when the guest drops it.
func NewOutput(s OutputStream) component.Value { return abi.Resource(&output{stream: s}) }

// Renew implements component.Renewable, if the stream is a Renewable. What the guest was permitted to write it may write to the new one: it has
// asked before the snapshot, and does not ask again.
func (out *output) Renew(state any) (component.Value, bool) {
	s, ok := out.stream.(Renewable)
	if !ok || out.closed {
		return component.Value{}, false
	}
	again := s.Renew(state)
	outputOf(again).permit = out.permit
	return again, true
}

func outputOf(v component.Value) *output { return v.Resource().(*output) }

func (out *output) checkWrite() (int, error) {
	if out.closed {
		return 0, ErrClosed
	}
	n, err := out.stream.CheckWrite()
	if err != nil {
		return 0, out.fail(err)
	}
	out.permit = min(n, maxPermit)
	return out.permit, nil
}

// permitted reports whether n bytes may be written. A guest should have asked before; if it has not, but the stream takes them, we
// do too.
func (out *output) permitted(n uint64) error {
	if out.closed {
		return ErrClosed
	}
	if n <= uint64(out.permit) {
		return nil
	}
	permit, err := out.checkWrite()
	if err != nil {
		return err
	}
	if n > uint64(permit) {
		return trap("write of more bytes than check-write permitted")
	}
	return nil
}

func (out *output) write(p []byte) error {
	if err := out.permitted(uint64(len(p))); err != nil {
		return err
	}
	return out.push(p)
}

func (out *output) writeZeroes(n uint64) error {
	if err := out.permitted(n); err != nil {
		return err
	}
	for n > 0 {
		p := zeroes[:min(n, uint64(len(zeroes)))]
		if err := out.push(p); err != nil {
			return err
		}
		n -= uint64(len(p))
	}
	return nil
}

// push writes what is permitted.
func (out *output) push(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	out.permit -= len(p)
	if err := out.stream.Write(p); err != nil {
		return out.fail(err)
	}
	return nil
}

func (out *output) flush() error {
	if out.closed {
		return ErrClosed
	}
	out.permit = 0
	if err := out.stream.Flush(); err != nil {
		return out.fail(err)
	}
	return nil
}

func (out *output) fail(err error) error {
	out.closed, out.permit = true, 0
	return err
}

// blockingCheckWrite waits until anything may be written.
func (out *output) blockingCheckWrite(w waiter) (int, error) {
	for {
		if n, err := out.checkWrite(); n > 0 || err != nil {
			return n, err
		}
		if err := block(w, out); err != nil {
			return 0, fatal{err}
		}
	}
}

func (out *output) blockingFlush(w waiter) error {
	if err := out.flush(); err != nil {
		return err
	}
	_, err := out.blockingCheckWrite(w)
	return err
}

func (out *output) blockingWriteAndFlush(w waiter, p []byte) error {
	if len(p) > maxBlockingWrite {
		return trap("blocking-write-and-flush of more than 4096 bytes")
	}
	for len(p) > 0 {
		n, err := out.blockingCheckWrite(w)
		if err != nil {
			return err
		}
		n = min(n, len(p))
		if err := out.push(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	if err := out.flush(); err != nil {
		return err
	}
	// What was written may have been all that the stream takes: that it is closed now is for the next call to tell.
	if _, err := out.blockingCheckWrite(w); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}

// splice moves what can be moved without waiting.
func (out *output) splice(src *input, limit uint64) (uint64, error) {
	permit, err := out.checkWrite()
	if err != nil {
		return 0, err
	}
	b, err := src.read(min(limit, uint64(permit)))
	if err != nil {
		return 0, err
	}
	return uint64(len(b)), out.push(b)
}

// blockingSplice waits until anything can be moved.
func (out *output) blockingSplice(w waiter, src *input, limit uint64) (uint64, error) {
	for {
		if _, err := out.blockingCheckWrite(w); err != nil {
			return 0, err
		}
		if err := block(w, src); err != nil {
			return 0, fatal{err}
		}
		if n, err := out.splice(src, limit); n > 0 || err != nil || limit == 0 {
			return n, err
		}
	}
}

// Ready implements Pollable. The pollables of a stream that has gone are ready: who waits for one finds out.
func (out *output) Ready() bool { return out.closed || out.dropped || out.stream.Ready() }

// Watch implements Pollable.
func (out *output) Watch(wake func()) (stop func()) {
	if out.closed || out.dropped {
		return AlwaysReady{}.Watch(wake)
	}
	return out.stream.Watch(wake)
}

func (out *output) drop() {
	if out.dropped {
		return
	}
	out.dropped = true
	// As in input.drop.
	_ = out.stream.Close()
}

// outputCheckWrite is wasi:io/streams.[method]output-stream.check-write.
func outputCheckWrite(_ *component.Call, args []component.Value) (component.Value, error) {
	n, err := outputOf(args[0]).checkWrite()
	return result(abi.U64(uint64(n)), err)
}

// outputWrite is wasi:io/streams.[method]output-stream.write.
func outputWrite(_ *component.Call, args []component.Value) (component.Value, error) {
	return result(component.Value{}, outputOf(args[0]).write(args[1].Bytes()))
}

// outputBlockingWriteAndFlush is wasi:io/streams.[method]output-stream.blocking-write-and-flush.
func outputBlockingWriteAndFlush(c *component.Call, args []component.Value) (component.Value, error) {
	return result(component.Value{}, outputOf(args[0]).blockingWriteAndFlush(c, args[1].Bytes()))
}

// outputFlush is wasi:io/streams.[method]output-stream.flush.
func outputFlush(_ *component.Call, args []component.Value) (component.Value, error) {
	return result(component.Value{}, outputOf(args[0]).flush())
}

// outputBlockingFlush is wasi:io/streams.[method]output-stream.blocking-flush.
func outputBlockingFlush(c *component.Call, args []component.Value) (component.Value, error) {
	return result(component.Value{}, outputOf(args[0]).blockingFlush(c))
}

// outputSubscribe is wasi:io/streams.[method]output-stream.subscribe.
func outputSubscribe(_ *component.Call, args []component.Value) (component.Value, error) {
	return NewPollable(outputOf(args[0])), nil
}

// outputWriteZeroes is wasi:io/streams.[method]output-stream.write-zeroes.
func outputWriteZeroes(_ *component.Call, args []component.Value) (component.Value, error) {
	return result(component.Value{}, outputOf(args[0]).writeZeroes(args[1].U64()))
}

// outputBlockingWriteZeroesAndFlush is wasi:io/streams.[method]output-stream.blocking-write-zeroes-and-flush.
func outputBlockingWriteZeroesAndFlush(c *component.Call, args []component.Value) (component.Value, error) {
	n := args[1].U64()
	if n > maxBlockingWrite {
		return result(component.Value{}, trap("blocking-write-zeroes-and-flush of more than 4096 bytes"))
	}
	return result(component.Value{}, outputOf(args[0]).blockingWriteAndFlush(c, zeroes[:n]))
}

// outputSplice is wasi:io/streams.[method]output-stream.splice.
func outputSplice(_ *component.Call, args []component.Value) (component.Value, error) {
	n, err := outputOf(args[0]).splice(inputOf(args[1]), args[2].U64())
	return result(abi.U64(n), err)
}

// outputBlockingSplice is wasi:io/streams.[method]output-stream.blocking-splice.
func outputBlockingSplice(c *component.Call, args []component.Value) (component.Value, error) {
	n, err := outputOf(args[0]).blockingSplice(c, inputOf(args[1]), args[2].U64())
	return result(abi.U64(n), err)
}
