package wasiio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func readAll(t *testing.T, in *input) []byte {
	t.Helper()
	var all []byte
	for {
		b, err := in.blockingRead(newGuest(t), math.MaxUint64)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 || len(b) > maxRead {
			t.Fatalf("blocking-read returned %d bytes", len(b))
		}
		all = append(all, b...)
	}
}

func TestInput(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	for name, make := range map[string]func() InputStream{
		"from bytes":                             func() InputStream { return FromBytes(content) },
		"from a reader":                          func() InputStream { return FromReader(bytes.NewReader(content), nil) },
		"from a reader of one byte at a time":    func() InputStream { return FromReader(iotest.OneByteReader(bytes.NewReader(content)), nil) },
		"from a reader that ends with its bytes": func() InputStream { return FromReader(iotest.DataErrReader(bytes.NewReader(content)), nil) },
	} {
		t.Run(name+" gives everything, then the end", func(t *testing.T) {
			in := &input{stream: make()}
			defer in.drop()
			if got := readAll(t, in); !bytes.Equal(got, content) {
				t.Errorf("got %d bytes of %d", len(got), len(content))
			}
			if !in.Ready() {
				t.Error("a stream at its end is not ready")
			}
			if _, err := in.read(0); err != io.EOF {
				t.Errorf("reading nothing at the end: %v", err)
			}
		})
	}
	t.Run("reads no more than was asked for", func(t *testing.T) {
		in := &input{stream: FromReader(strings.NewReader("abc"), nil)}
		defer in.drop()
		for _, want := range []string{"ab", "c"} {
			if b, err := in.blockingRead(newGuest(t), 2); string(b) != want || err != nil {
				t.Errorf("got %q, %v", b, err)
			}
		}
	})
	t.Run("an empty stream is ready and at its end", func(t *testing.T) {
		in := &input{stream: Empty()}
		if b, err := in.read(0); b != nil || err != nil || !in.Ready() {
			t.Errorf("reading nothing of it: %v, %v", b, err)
		}
		if _, err := in.read(1); err != io.EOF {
			t.Errorf("reading it: %v", err)
		}
	})
	t.Run("an error is told once, after what came before it", func(t *testing.T) {
		in := &input{stream: FromReader(io.MultiReader(strings.NewReader("a"), iotest.ErrReader(errors.New("disk on fire"))), nil)}
		defer in.drop()
		if b, err := in.blockingRead(newGuest(t), 9); string(b) != "a" || err != nil {
			t.Fatalf("got %q, %v", b, err)
		}
		_, err := in.blockingRead(newGuest(t), 9)
		if err == nil || streamError(err).Case() != lastOperationFailed || ErrorOf(streamError(err).Payload()).Error() != "disk on fire" {
			t.Errorf("got %v", err)
		}
		if _, err := in.read(9); err != io.EOF {
			t.Errorf("after that: %v", err)
		}
	})
	t.Run("one that is waited for ends when the guest must stop, and unblocks its reader", func(t *testing.T) {
		r, w := io.Pipe()
		in := &input{stream: FromReader(r, func() { w.Close() })}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := in.blockingRead(guest{ctx}, 1)
			done <- err
		}()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		in.drop()
	})
	t.Run("one that is never used starts no reader", func(t *testing.T) {
		in := &input{stream: FromReader(iotest.ErrReader(errors.New("read")), func() { t.Error("unblocked what does not run") })}
		in.drop()
	})
	t.Run("its reader reads ahead no more than a bounded amount", func(t *testing.T) {
		var read counter
		s := FromReader(&read, nil).(*readerInput)
		in := &input{stream: s}
		for range 3 {
			if err := block(newGuest(t), in); err != nil {
				t.Fatal(err)
			}
		}
		in.drop()
		if int(read) > readAhead+readSize {
			t.Errorf("it read %d bytes", read)
		}
	})
	t.Run("a pollable that outlives it is ready", func(t *testing.T) {
		r, w := io.Pipe()
		in := &input{stream: FromReader(r, func() { w.Close() })}
		if in.Ready() {
			t.Error("ready before there is anything")
		}
		in.drop()
		in.drop()
		if err := block(newGuest(t), in); err != nil || !in.Ready() {
			t.Errorf("it is not: %v", err)
		}
	})
}

// counter is an endless reader that counts what is read of it.
type counter int

func (c *counter) Read(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
