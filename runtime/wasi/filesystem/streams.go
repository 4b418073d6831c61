package filesystem

import (
	"io"
	"math"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

const (
	maxRead   = 64 << 10 // bytes at once, whatever the guest asks for
	smallRead = 4 << 10  // up to here it is not worth asking how large the file is
	maxWrite  = 1 << 20
)

// readAt returns at most length bytes, none at the end of the file.
func readAt(f *guestfs.File, length uint64, at int64) ([]byte, error) {
	n := min(length, maxRead)
	if n > smallRead {
		st, err := f.Stat()
		if err != nil {
			return nil, err
		}
		// The size may be 0 of what has content all the same: files that a filesystem makes up when they are read.
		n = min(n, max(uint64(max(st.Size-at, 0)), smallRead))
	}
	b := make([]byte, n)
	got, err := f.ReadAt(b, at)
	if got == 0 && err != nil && err != io.EOF {
		return nil, err
	}
	return b[:got], nil
}

// streamError is an error of a stream of this package.
type streamError struct{ error }

func (e *streamError) Unwrap() error { return e.error }

func ofStream(err error) error {
	if err == nil {
		return nil
	}
	return &streamError{err}
}

// reader is an input-stream of a file. Others of the same file have positions of their own.
type reader struct {
	wasiio.AlwaysReady
	handle *handle
	at     int64
}

var _ wasiio.InputStream = (*reader)(nil)

// Read implements wasiio.InputStream.
func (r *reader) Read(limit int) ([]byte, error) {
	b, err := readAt(r.handle.file, uint64(limit), r.at)
	if err != nil {
		return nil, ofStream(err)
	}
	if len(b) == 0 && limit > 0 {
		return nil, io.EOF
	}
	r.at += int64(len(b))
	return b, nil
}

// Close implements wasiio.InputStream.
func (r *reader) Close() error {
	r.handle.release()
	return nil
}

// writer is an output-stream of a file.
type writer struct {
	wasiio.AlwaysReady
	handle *handle
	append bool
	at     int64 // unless append
}

var _ wasiio.OutputStream = (*writer)(nil)

// CheckWrite implements wasiio.OutputStream.
func (w *writer) CheckWrite() (int, error) { return maxWrite, nil }

// Write implements wasiio.OutputStream.
func (w *writer) Write(p []byte) error {
	if w.append {
		_, err := w.handle.file.Append(p)
		return ofStream(err)
	}
	if int64(len(p)) > math.MaxInt64-w.at {
		return ofStream(unix.EFBIG)
	}
	n, err := w.handle.file.WriteAt(p, w.at)
	w.at += int64(n)
	return ofStream(err)
}

// Flush implements wasiio.OutputStream. What is written is in the file: to have it on disk is what sync is for.
func (w *writer) Flush() error { return nil }

// Close implements wasiio.OutputStream.
func (w *writer) Close() error {
	w.handle.release()
	return nil
}
