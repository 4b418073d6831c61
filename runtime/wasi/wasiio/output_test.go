package wasiio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component"
)

// once is an output stream that closes itself after one flush, or fails.
type once struct {
	AlwaysReady
	flushed bool
	err     error
}

func (o *once) CheckWrite() (int, error) {
	if o.flushed {
		return 0, o.err
	}
	return 10, nil
}
func (o *once) Write([]byte) error { return nil }
func (o *once) Flush() error       { o.flushed = true; return nil }
func (o *once) Close() error       { return nil }

func TestOutput(t *testing.T) {
	t.Run("takes what it permits, in parts too", func(t *testing.T) {
		var got bytes.Buffer
		out := &output{stream: ToWriter(&got)}
		n, err := out.checkWrite()
		if n != maxRead || err != nil {
			t.Fatalf("check-write: %d, %v", n, err)
		}
		if err := errors.Join(out.write([]byte("ab")), out.writeZeroes(3), out.write(nil), out.write([]byte("c"))); err != nil {
			t.Fatal(err)
		}
		if got.String() != "ab\x00\x00\x00c" || out.permit != n-6 {
			t.Errorf("got %q, permit %d", got.String(), out.permit)
		}
	})
	t.Run("more than permitted traps", func(t *testing.T) {
		p := newPipe()
		for name, write := range map[string]func(*output) error{
			"write":        func(out *output) error { return out.write(make([]byte, pipeCapacity+1)) },
			"write-zeroes": func(out *output) error { return out.writeZeroes(math.MaxUint64) },
			"blocking-write-and-flush": func(out *output) error {
				return out.blockingWriteAndFlush(newGuest(t), make([]byte, maxBlockingWrite+1))
			},
		} {
			if reason := ends(t, write(&output{stream: p})).Reason; !strings.Contains(reason, "more") {
				t.Errorf("%s: %s", name, reason)
			}
		}
	})
	t.Run("without having asked, what the stream takes is taken", func(t *testing.T) {
		p := newPipe()
		out := &output{stream: p}
		if err := out.write([]byte("a")); err != nil {
			t.Error(err)
		}
	})
	t.Run("after a flush nothing is permitted until it is done", func(t *testing.T) {
		p := newPipe()
		out := &output{stream: p}
		if err := errors.Join(out.write([]byte("abc")), out.flush()); err != nil {
			t.Fatal(err)
		}
		if n, err := out.checkWrite(); n != 0 || err != nil || out.Ready() {
			t.Errorf("check-write: %d, %v", n, err)
		}
		ends(t, out.write([]byte("d")))
		if n, err := p.Read(make([]byte, 9)); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := out.checkWrite(); n != pipeCapacity || err != nil || !out.Ready() {
			t.Errorf("check-write: %d, %v", n, err)
		}
	})
	t.Run("blocking-write-and-flush returns when everything was read", func(t *testing.T) {
		p := newPipe()
		out := &output{stream: p}
		done := make(chan error, 1)
		go func() {
			err := out.blockingWriteAndFlush(newGuest(t), make([]byte, maxBlockingWrite))
			out.drop()
			done <- err
		}()
		b, err := io.ReadAll(p)
		if len(b) != maxBlockingWrite || err != nil || <-done != nil {
			t.Errorf("read %d, %v", len(b), err)
		}
	})
	t.Run("blocking-write-and-flush that fills the stream is a success, and the next call is told", func(t *testing.T) {
		out := &output{stream: &once{err: ErrClosed}}
		if err := out.blockingWriteAndFlush(newGuest(t), []byte("ab")); err != nil {
			t.Error(err)
		}
		if _, err := out.checkWrite(); err != ErrClosed {
			t.Errorf("then: %v", err)
		}
	})
	t.Run("a writer that nobody reads from is closed, one that fails is told", func(t *testing.T) {
		r, w := io.Pipe()
		r.Close()
		if err := (&output{stream: ToWriter(w)}).write([]byte("a")); err != ErrClosed {
			t.Errorf("got %v", err)
		}
		r, w = io.Pipe()
		r.CloseWithError(io.ErrUnexpectedEOF)
		if err := (&output{stream: ToWriter(w)}).write([]byte("a")); err != io.ErrUnexpectedEOF {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a failure is told once, and the stream is closed then", func(t *testing.T) {
		out := &output{stream: &once{err: io.ErrUnexpectedEOF}}
		if err := out.blockingFlush(newGuest(t)); err != io.ErrUnexpectedEOF {
			t.Errorf("got %v", err)
		}
		for name, f := range map[string]func() error{
			"write":        func() error { return out.write([]byte("a")) },
			"write-zeroes": func() error { return out.writeZeroes(1) },
			"flush":        out.flush,
			"splice":       func() error { _, err := out.splice(&input{stream: Empty()}, 1); return err },
		} {
			if err := f(); err != ErrClosed {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !out.Ready() {
			t.Error("not ready")
		}
	})
	t.Run("one that is waited for ends when the guest must stop", func(t *testing.T) {
		p := newPipe()
		out := &output{stream: p}
		ctx, cancel := context.WithCancel(t.Context())
		if err := errors.Join(out.write([]byte("a")), out.flush()); err != nil {
			t.Fatal(err)
		}
		cancel()
		var f fatal
		if _, err := out.blockingCheckWrite(guest{ctx}); !errors.As(err, &f) || !errors.Is(f.error, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSplice(t *testing.T) {
	t.Run("moves no more than the output takes", func(t *testing.T) {
		p := newPipe()
		out := &output{stream: p}
		in := &input{stream: FromBytes(make([]byte, 2*pipeCapacity))}
		if n, err := out.splice(in, math.MaxUint64); n != pipeCapacity || err != nil {
			t.Errorf("moved %d, %v", n, err)
		}
		if n, err := out.splice(in, math.MaxUint64); n != 0 || err != nil {
			t.Errorf("moved %d, %v", n, err)
		}
	})
	t.Run("blocking, moves everything, then tells of the end", func(t *testing.T) {
		content := bytes.Repeat([]byte("mayfly"), 50_000)
		p := newPipe()
		out, in := &output{stream: p}, &input{stream: FromReader(bytes.NewReader(content), nil)}
		done := make(chan error, 1)
		go func() {
			defer in.drop()
			defer out.drop()
			for {
				if _, err := out.blockingSplice(newGuest(t), in, 10_000); err != nil {
					done <- err
					return
				}
			}
		}()
		got, err := io.ReadAll(p)
		if !bytes.Equal(got, content) || err != nil {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if err := <-done; err != io.EOF {
			t.Errorf("then %v", err)
		}
	})
}

// standard is an output stream that every instance has one like.
type standard struct{ OutputStream }

func (standard) Renew(state any) component.Value { return NewOutput(standard{state.(OutputStream)}) }

func TestWhatWasPermittedBeforeASnapshotIsTakenAfterIt(t *testing.T) {
	out := outputOf(NewOutput(standard{ToWriter(io.Discard)}))
	if err := out.write([]byte("begins")); err != nil {
		t.Fatal(err)
	}
	permit, err := out.checkWrite()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p := newPipe()
		p.buf = make([]byte, 1) // if it is asked it takes less than was permitted
		v, ok := out.Renew(OutputStream(p))
		if !ok {
			t.Fatal("a stream that has permitted something cannot be had again")
		}
		again := outputOf(v)
		if again == out || again.permit != permit {
			t.Errorf("it permits %d, not %d", again.permit, permit)
		}
		if err := again.write(make([]byte, permit)); err != nil || out.permit != permit {
			t.Errorf("%v", err)
		}
	}
	out.closed = true
	if _, ok := out.Renew(OutputStream(newPipe())); ok {
		t.Error("one can be had like a stream of which the guest knows that it is closed")
	}
	if _, ok := (&output{stream: newPipe()}).Renew(nil); ok {
		t.Error("one can be had like a stream that is no Renewable")
	}
}
