package sockets

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// tcpOutput is the stream of what a connection sends. The system may take less of a write than it seemed to: a goroutine sends the rest,
// and until it has, nothing more is taken.
type tcpOutput struct {
	d *descriptor

	mu      sync.Mutex
	running bool   // the goroutine
	rest    []byte // what it sends
	shut    bool   // the guest may write no more
	err     error  // what ended sending
}

var _ wasiio.OutputStream = (*tcpOutput)(nil)

func newTCPOutput(d *descriptor) *tcpOutput {
	out := &tcpOutput{d: d}
	d.out.busy = out.sending
	return out
}

func (out *tcpOutput) sending() bool {
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.running
}

// CheckWrite implements wasiio.OutputStream.
func (out *tcpOutput) CheckWrite() (int, error) {
	if err := out.ended(); err != nil {
		return 0, err
	}
	if !out.d.out.Ready() {
		return 0, nil
	}
	return bufferSize, nil
}

// ended returns why nothing can be written any more.
func (out *tcpOutput) ended() error {
	out.mu.Lock()
	defer out.mu.Unlock()
	switch {
	case out.err != nil:
		return out.err
	case out.shut:
		return wasiio.ErrClosed
	}
	return nil
}

// Write implements wasiio.OutputStream.
func (out *tcpOutput) Write(p []byte) error {
	if err := out.ended(); err != nil {
		return err
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.running {
		// The second of several writes that were permitted at once.
		out.rest = append(out.rest, p...)
		return nil
	}
	rest, err := send(out.d.fd, p)
	if err != nil {
		out.err = err
		return err
	}
	if len(rest) > 0 {
		out.running, out.rest = true, slices.Clone(rest)
		out.d.retain()
		out.d.guest.wg.Go(out.sendRest)
	}
	return nil
}

// send returns what the system did not take.
func send(fd int, p []byte) (rest []byte, err error) {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		switch err {
		case nil:
			p = p[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			return p, nil
		case unix.EPIPE:
			return nil, wasiio.ErrClosed
		default:
			return nil, err
		}
	}
	return nil, nil
}

func (out *tcpOutput) sendRest() {
	defer out.d.release()
	for more := true; more; {
		err := out.d.raw.Write(func(fd uintptr) bool {
			out.mu.Lock()
			defer out.mu.Unlock()
			out.rest, out.err = send(int(fd), out.rest)
			return len(out.rest) == 0
		})
		more = out.sent(err)
	}
	out.d.out.signal.Notify()
}

// sent notes that the goroutine has sent everything, or cannot. It reports whether there is more by now.
func (out *tcpOutput) sent(err error) (more bool) {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.err == nil {
		out.err = err
	}
	if len(out.rest) > 0 && out.err == nil {
		return true
	}
	out.running, out.rest = false, nil
	if out.shut {
		_ = unix.Shutdown(out.d.fd, unix.SHUT_WR)
	}
	return false
}

// Flush implements wasiio.OutputStream: sending has begun already.
func (out *tcpOutput) Flush() error { return out.ended() }

// Ready implements wasiio.Pollable.
func (out *tcpOutput) Ready() bool { return out.ended() != nil || out.d.out.Ready() }

// Watch implements wasiio.Pollable.
func (out *tcpOutput) Watch(wake func()) (stop func()) {
	if out.ended() != nil {
		return wasiio.AlwaysReady{}.Watch(wake)
	}
	return out.d.out.Watch(wake)
}

// shutdown ends the stream, after what was written.
func (out *tcpOutput) shutdown() {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.shut {
		return
	}
	out.shut = true
	if !out.running {
		_ = unix.Shutdown(out.d.fd, unix.SHUT_WR)
	}
}

// Close implements wasiio.OutputStream. What was written is sent still.
func (out *tcpOutput) Close() error {
	out.d.release()
	return nil
}
