package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Target is what is asked, and of whom.
type Target struct {
	Addr     string
	Path     string
	Patience time.Duration // with one answer
	// Anew opens a connection for each request. Connecting is part of the time then, closing is not.
	Anew bool
	// Check tells what is wrong with the body of an answer. It must not keep the body.
	Check func(body []byte) error
}

// Client is a client of the target with a connection of its own, which it opens when it first asks.
func (t *Target) Client() Asker {
	return &client{target: t, request: []byte("GET " + t.Path + " HTTP/1.1\r\nHost: " + t.Addr + "\r\n\r\n")}
}

type client struct {
	target  *Target
	request []byte
	conn    net.Conn // nil: there is none
	fresh   bool     // it was connected just now
	read    *bufio.Reader
	body    []byte
}

// Open connects and asks once: a server has something to do with a connection before the first request on it.
func (c *client) Open(ctx context.Context) error {
	_, err := c.Ask(ctx)
	return err
}

// Ask asks once. The time begins with writing the request; where there is no connection yet, connecting is part of it only if all are new.
func (c *client) Ask(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	if err := c.connect(ctx, begin.Add(c.target.Patience)); err != nil {
		return 0, err
	}
	if c.fresh {
		if c.fresh = false; !c.target.Anew {
			begin = time.Now()
		}
	}
	err := c.ask(begin.Add(c.target.Patience))
	took := time.Since(begin)
	if c.target.Anew && err == nil {
		return took, c.Close()
	}
	if err != nil {
		return 0, errors.Join(err, c.Close()) // what comes next on it may belong to anything
	}
	return took, nil
}

func (c *client) connect(ctx context.Context, deadline time.Time) error {
	if c.conn != nil {
		return nil
	}
	conn, err := (&net.Dialer{Deadline: deadline}).DialContext(ctx, "tcp", c.target.Addr)
	if err != nil {
		return err
	}
	c.conn, c.fresh = conn, true
	if c.read == nil {
		c.read = bufio.NewReaderSize(nil, 16<<10)
	}
	c.read.Reset(conn)
	return nil
}

func (c *client) ask(deadline time.Time) error {
	if err := c.conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	a, err := readAnswer(c.read, c.body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	c.body = a.body
	if a.status != 200 {
		return fmt.Errorf("the status is %d: %.200q", a.status, a.body)
	}
	if err := c.target.Check(a.body); err != nil {
		return fmt.Errorf("%w: %.200q", err, a.body)
	}
	if a.closes {
		return c.Close()
	}
	return nil
}

func (c *client) Close() error {
	if c.conn == nil {
		return nil
	}
	conn := c.conn
	c.conn = nil
	return conn.Close()
}
