package main

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// beatEvery is how often the holder is told that the engine lives. A holder that hears nothing for a while kills it, and the next
// request starts another.
const beatEvery = time.Second

// link is the engine's end of the link to the holder.
type link struct {
	conn *control.Conn
	done chan struct{}
	wait sync.WaitGroup

	taken  chan taken
	server atomic.Pointer[wasihttp.Server] // nil: there is none

	mu sync.Mutex // lets one send at a time
}

// newLink takes over fd and begins to beat, and calls also with each beat. gone is called when the holder is gone.
//
// The beats come from a goroutine, not from a thread of their own: they are to stop when Go's scheduler does.
func newLink(fd int, gone, also func()) *link {
	l := &link{conn: control.NewConn(fd), done: make(chan struct{}), taken: make(chan taken)}
	l.wait.Go(func() { l.beat(gone, also) })
	l.wait.Go(func() { l.watch(gone) })
	return l
}

func (l *link) beat(gone, also func()) {
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-t.C:
			if l.send(control.Beat) != nil {
				gone()
				return
			}
			also()
		}
	}
}

// watch waits for the end of the link, and passes on what the holder hands over.
func (l *link) watch(gone func()) {
	for {
		m, fds, err := l.conn.Recv()
		if err != nil {
			gone()
			return
		}
		if m.Kind != control.Take {
			control.CloseAll(fds)
			continue
		}
		select {
		case l.taken <- taken{fds: fds, greeted: m.Text == control.Greeted}:
		case <-l.done:
			control.CloseAll(fds)
		}
	}
}

func (l *link) send(k control.Kind) error { return l.say(control.Message{Kind: k, Text: l.figures()}) }

func (l *link) say(m control.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.Send(m)
}

// refuse tells the holder, and by it the person who wrote the pod, why there will be no sidecar.
func (l *link) refuse(err error) {
	text := strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "), "?")
	_ = l.say(control.Message{Kind: control.Error, Text: text}) // if the holder is gone, so are we
}

// close hangs up and waits for the goroutines.
func (l *link) close() {
	close(l.done)
	_ = l.conn.Close()
	l.wait.Wait()
}
