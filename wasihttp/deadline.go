package wasihttp

import (
	"context"
	"io"
	"sync"
	"time"
)

// deadline ends a request when something takes too long.
type deadline struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex // guards timer
	timer *time.Timer
}

// set gives what begins now so much time, below 0 any. What began before has succeeded.
func (d *deadline) set(limit time.Duration, code int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	if limit >= 0 {
		d.timer = time.AfterFunc(limit, func() { d.cancel(&codeError{code: code}) })
	}
}

func (d *deadline) stop() { d.set(-1, 0) }

// timedBody is a response's body that breaks off when nothing comes for a while.
type timedBody struct {
	io.ReadCloser
	deadline *deadline
	limit    time.Duration
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	b.deadline.set(b.limit, codeConnectionReadTimeout)
	defer b.deadline.stop()
	return b.ReadCloser.Read(p)
}
