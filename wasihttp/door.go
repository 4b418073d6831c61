package wasihttp

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// door is a listener that can be shut for a moment without losing a connection: those that come meanwhile wait in the kernel.
type door struct {
	net.Listener
	deadlines interface{ SetDeadline(time.Time) error }
	parked    chan struct{} // takes a value when Accept has seen that the door is shut
	gone      chan struct{} // closed when nobody will call Accept again

	mu     sync.Mutex
	first  []net.Conn    // to be returned before any other
	open   chan struct{} // while the door is shut; closed to open it
	closed bool
}

// newDoor returns a door to l. Listeners without deadlines, which no system has, cannot be shut.
func newDoor(l net.Listener, first []net.Conn) *door {
	d := &door{Listener: l, parked: make(chan struct{}), gone: make(chan struct{}), first: first}
	d.deadlines, _ = l.(interface{ SetDeadline(time.Time) error })
	return d
}

// Accept returns the connections that were handed over, then those that come.
func (d *door) Accept() (net.Conn, error) {
	for {
		if c := d.takeFirst(); c != nil {
			return &conn{Conn: c}, nil
		}
		c, err := d.Listener.Accept()
		if err == nil {
			return &conn{Conn: c}, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		d.mu.Lock()
		open := d.open
		d.mu.Unlock()
		if open != nil {
			d.parked <- struct{}{}
			<-open
		}
	}
}

func (d *door) takeFirst() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.first) == 0 {
		return nil
	}
	c := d.first[0]
	d.first = d.first[1:]
	return c
}

// shut returns when Accept is sure not to return another connection until unshut. It reports whether it could.
func (d *door) shut() bool {
	if d.deadlines == nil {
		return false
	}
	d.mu.Lock()
	d.open = make(chan struct{})
	d.mu.Unlock()
	_ = d.deadlines.SetDeadline(time.Now())
	select {
	case <-d.parked:
	case <-d.gone:
	}
	return true
}

// unshut lets Accept go on.
func (d *door) unshut() {
	_ = d.deadlines.SetDeadline(time.Time{})
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.open)
	d.open = nil
}

// Close closes this process's descriptor of the listener; connections that nobody accepted stay with those who have another.
// Connections that were handed over and not yet returned are closed too.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	for _, c := range d.first {
		_ = c.Close()
	}
	d.first = nil
	err := d.Listener.Close()
	if d.open != nil {
		close(d.open)
		d.open = nil
	}
	return err
}
