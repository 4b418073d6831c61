package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// patience is how long an answer may take, from the request's first byte to its own last.
	patience = 6 * time.Second
	// goAhead is how long a client waits to be told to send a body (RFC 9110, section 10.1.1).
	goAhead = 3 * time.Second
	// maxAnswer bounds a body that is read.
	maxAnswer = 64 << 20
)

var (
	// errDown is in the answer of a server that takes no connection.
	errDown = errors.New("takes no connection")
	// errClosed is the answer of a server that closes the connection.
	errClosed = errors.New("the connection was closed")
)

// answer is what came back.
type answer struct {
	lost     error // why there is none
	interim  []int // the informational answers before it
	status   int
	fields   []field // sorted by name
	body     string
	trailers []field
	cut      bool // it broke off before its end
}

type field struct{ name, value string }

// ask sends a request to addr and returns the answers, as many as are to come or until there is none.
func ask(ctx context.Context, addr string, r *request) []answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return []answer{{lost: fmt.Errorf("%w: %w", errDown, err)}}
	}
	c := &client{conn: conn, read: bufio.NewReader(conn), goOn: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	c.sending.Go(func() { c.send(ctx, r) })
	answers := c.receive(r)
	_ = conn.Close()
	cancel()
	c.sending.Wait()
	return answers
}

// client is one connection to a server.
type client struct {
	conn    net.Conn
	read    *bufio.Reader
	sending sync.WaitGroup
	goOn    chan struct{} // closed when the server has answered something
	once    sync.Once
	final   bool // set before goOn is closed: the server wants no body
}

// send writes the request. A server that answers before it has read everything is no error: the answer tells.
func (c *client) send(ctx context.Context, r *request) {
	head, rest := r.wire()
	if _, err := io.WriteString(c.conn, head); err != nil {
		return
	}
	if rest != "" {
		select {
		case <-c.goOn:
			if c.final {
				return
			}
		case <-time.After(goAhead):
		case <-ctx.Done():
			return
		}
		if _, err := io.WriteString(c.conn, rest); err != nil {
			return
		}
	}
	if tcp, ok := c.conn.(*net.TCPConn); ok && r.hangUp {
		_ = tcp.CloseWrite()
	}
}

func (c *client) answered(final bool) {
	c.once.Do(func() {
		c.final = final
		close(c.goOn)
	})
}

func (c *client) receive(r *request) []answer {
	var answers []answer
	for range max(r.answers, 1) {
		a := c.answer(r.method())
		answers = append(answers, a)
		if a.lost != nil || a.cut {
			break
		}
	}
	return answers
}

// answer reads one answer.
func (c *client) answer(method string) answer {
	var a answer
	for {
		res, err := http.ReadResponse(c.read, &http.Request{Method: method})
		if err != nil {
			a.lost = whyLost(err)
			return a
		}
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			a.interim = append(a.interim, res.StatusCode)
			c.answered(false)
			continue
		}
		c.answered(true)
		a.status = res.StatusCode
		a.fields = sorted(res.Header)
		body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		a.body, a.cut = string(body), err != nil
		_ = res.Body.Close()
		a.trailers = sorted(res.Trailer)
		return a
	}
}

// whyLost says it without what differs from one run to the next.
func whyLost(err error) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer in %v", patience)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "connection reset"):
		return errClosed
	}
	return fmt.Errorf("no HTTP: %w", err)
}

// sorted are the fields by name, in lower case: neither their order nor how they are written means anything, but the order of the
// values of one does (RFC 9110, section 5.3).
func sorted(h http.Header) []field {
	var fields []field
	for name, values := range h {
		for _, v := range values {
			fields = append(fields, field{strings.ToLower(name), v})
		}
	}
	slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields
}
