package sockets

import (
	"io"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// bufferSize is what is read or received at once: the largest datagram, too.
const bufferSize = 64 << 10

// buffers are where the system writes to, so that no more is allocated than came.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// tcpInput is the stream of what a connection receives.
type tcpInput struct {
	d    *descriptor
	shut bool
}

var _ wasiio.InputStream = (*tcpInput)(nil)

// Read implements wasiio.InputStream.
func (in *tcpInput) Read(limit int) ([]byte, error) {
	if in.shut {
		return nil, io.EOF
	}
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := unix.Read(in.d.fd, buf[:min(limit, len(buf))])
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return nil, nil
		case err != nil:
			return nil, err
		case n == 0:
			return nil, io.EOF
		default:
			return slices.Clone(buf[:n]), nil
		}
	}
}

// Ready implements wasiio.Pollable.
func (in *tcpInput) Ready() bool { return in.shut || in.d.in.Ready() }

// Watch implements wasiio.Pollable.
func (in *tcpInput) Watch(wake func()) (stop func()) {
	if in.shut {
		return wasiio.AlwaysReady{}.Watch(wake)
	}
	return in.d.in.Watch(wake)
}

// shutdown ends the stream here: the system would let what has come be read still. That the peer is told is a courtesy.
func (in *tcpInput) shutdown() {
	in.shut = true
	_ = unix.Shutdown(in.d.fd, unix.SHUT_RD)
}

// Close implements wasiio.InputStream.
func (in *tcpInput) Close() error {
	in.shut = true
	in.d.release()
	return nil
}
