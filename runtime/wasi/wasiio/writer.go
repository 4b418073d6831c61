package wasiio

import (
	"errors"
	"io"
	"syscall"
)

// writerOutput is an output stream that writes at once.
type writerOutput struct {
	AlwaysReady
	w io.Writer
}

// ToWriter returns a stream that writes to w when the guest does, and so waits when w waits: it is for what does not for long, such as
// files, logs and [io.Discard]. It does not close w.
func ToWriter(w io.Writer) OutputStream { return &writerOutput{w: w} }

func (s *writerOutput) CheckWrite() (int, error) { return maxRead, nil }

func (s *writerOutput) Write(p []byte) error {
	_, err := s.w.Write(p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return ErrClosed
	}
	return err
}

func (s *writerOutput) Flush() error { return nil }
func (s *writerOutput) Close() error { return nil }
