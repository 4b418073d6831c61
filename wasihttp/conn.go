package wasihttp

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// leftoverTime and maxLeftover bound what is read, and thrown away, of a body that no guest wants. A connection that is
	// closed with data unread is reset, and the reset may reach the client before the answer.
	leftoverTime = 2 * time.Second
	maxLeftover  = 256 << 10
)

// conn is a connection that can be spent: when a request's body was not read to its end no other request may follow.
//
// Reading may have failed in the middle of the body. What follows there is still body, and net/http would take it for a request:
// a client could hide one from who stands between.
type conn struct {
	net.Conn
	spent  atomic.Bool
	mute   atomic.Bool // spent, and the answer in progress is over
	thrown int         // bytes
	asked  atomic.Bool // a request has come
	expect *time.Timer // ends the time for the first request in HTTP/2
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf returns the connection of an HTTP/1 request; others share theirs.
func connOf(r *http.Request) *conn {
	if r.ProtoMajor != 1 {
		return nil
	}
	return anyConnOf(r)
}

func anyConnOf(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// spend lets the connection end after the answer in progress.
func (c *conn) spend() {
	_ = c.Conn.SetReadDeadline(time.Now().Add(leftoverTime))
	c.spent.Store(true)
}

// rest is called when an answer is over. What net/http has read already of a spent connection may look to it like a request, or like a
// bad one: it is not answered.
func (c *conn) rest() {
	if c.spent.Load() {
		c.mute.Store(true)
	}
}

// Write fails once the last answer is over.
func (c *conn) Write(p []byte) (int, error) {
	if c.mute.Load() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

func (c *conn) Read(p []byte) (int, error) {
	if !c.spent.Load() {
		return c.Conn.Read(p)
	}
	for c.thrown < maxLeftover {
		n, err := c.Conn.Read(p)
		if c.thrown += n; err != nil {
			c.thrown = maxLeftover
		}
	}
	return 0, io.EOF
}

// SetReadDeadline leaves a spent connection the deadline it has.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.spent.Load() {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// CloseWrite is what net/http looks for to end a connection in order.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
