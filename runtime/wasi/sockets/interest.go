package sockets

import (
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// interest is what one can wait for of a descriptor: that it can be read, or written. While somebody does, a goroutine waits for Go's
// poller. It belongs to the guest's goroutine, but for signal.
type interest struct {
	d      *descriptor
	events int16
	write  bool
	// busy, if it is not nil, reports that another goroutine has the descriptor's direction, and will notify signal when it is done.
	busy     func() bool
	signal   wasiio.Signal
	watchers int
	waiting  chan struct{} // closed when the goroutine is past waiting; nil: there is none
}

var _ wasiio.Pollable = (*interest)(nil)

// Ready implements wasiio.Pollable.
func (i *interest) Ready() bool {
	if i.busy != nil && i.busy() {
		return false
	}
	if poll(i.d.fd, i.events) {
		return true
	}
	// What was ready may have been taken since the goroutine said so.
	i.arm()
	return false
}

// Watch implements wasiio.Pollable.
func (i *interest) Watch(wake func()) (stop func()) {
	off := i.signal.Watch(wake)
	i.watchers++
	if i.Ready() {
		wake()
	}
	return sync.OnceFunc(func() {
		off()
		if i.watchers--; i.watchers == 0 {
			i.disarm()
		}
	})
}

// arm starts the goroutine, if it is wanted and does not run.
func (i *interest) arm() {
	if i.watchers == 0 {
		return
	}
	if i.waiting != nil {
		select {
		case <-i.waiting:
		default:
			return
		}
	}
	waiting := make(chan struct{})
	i.waiting = waiting
	wait := i.d.raw.Read
	if i.write {
		wait = i.d.raw.Write
	}
	i.d.guest.wg.Go(func() {
		// An error is the end of waiting as well: who looks then finds out.
		_ = wait(func(fd uintptr) bool { return poll(int(fd), i.events) })
		close(waiting)
		i.signal.Notify()
	})
}

// disarm ends the goroutine.
func (i *interest) disarm() {
	if i.waiting == nil {
		return
	}
	i.deadline(time.Unix(1, 0))
	<-i.waiting
	i.waiting = nil
	i.deadline(time.Time{})
}

func (i *interest) deadline(at time.Time) {
	if i.write {
		_ = i.d.file.SetWriteDeadline(at)
	} else {
		_ = i.d.file.SetReadDeadline(at)
	}
}
