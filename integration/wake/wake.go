//go:build linux

// Package wake measures how long an engine takes from being started to its
// first answer, as after a deep idle: what a holder does is left out.
// integration/cmd/wake prints what it finds.
package wake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/internal/figures"
)

// patience is how long an answer may take.
const patience = time.Minute

// Result is what a run has found.
type Result struct {
	Ready  figures.Times // from starting the process until it says that it serves
	Answer figures.Times // until the answer has come
	Log    string        // of the last engine
}

// Measure starts n engines, one after another, and asks each once. What is
// compiled is compiled before, if it is to be.
func Measure(ctx context.Context, o bare.Options, n int, compiled bool) (r *Result, err error) {
	if compiled {
		if o.Compiled, err = os.MkdirTemp("", "mayfly-wake-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(o.Compiled)
		if err := bare.Compile(ctx, o.Binary, o.Module, o.Compiled); err != nil {
			return nil, err
		}
	}
	r = &Result{}
	for range n {
		if err := r.wake(o); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Result) wake(o bare.Options) error {
	e, err := bare.Start(o)
	if err != nil {
		return err
	}
	err = ask(e.Addr)
	r.Answer = append(r.Answer, time.Since(e.Begun))
	r.Ready = append(r.Ready, e.Ready)
	text, err2 := e.Stop()
	r.Log = text
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

// ask asks once, without a client that has to be set up.
func ask(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return err
}
