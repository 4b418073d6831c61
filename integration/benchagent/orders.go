//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

// maxTurns bounds an order.
const maxTurns = 10_000

// serveOrders does what it is told, one order for each connection.
func serveOrders(ctx context.Context, l net.Listener) error {
	return serve(ctx, l, func(ctx context.Context, conn net.Conn) {
		if err := obey(ctx, conn); err != nil {
			_ = order.Write(conn, order.Answer{Failed: 1, Why: err.Error()}) // who has left needs no answer
		}
	})
}

// obey reads one order and answers it.
func obey(ctx context.Context, conn net.Conn) error {
	lines := order.NewLines(conn)
	var o order.Order
	if err := lines.Next(&o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	switch {
	case len(o.Turns) == 0 || len(o.Turns) > maxTurns:
		return fmt.Errorf("an order has from one to %d turns, not %d", maxTurns, len(o.Turns))
	case len(o.Pods) > 0:
		return conduct(ctx, conn, o)
	case o.Hold:
		if err := ready(ctx, o.Turns[0]); err != nil {
			return err
		}
		if err := order.Write(conn, order.Answer{Ready: true}); err != nil {
			return err
		}
		var begin order.Order
		if err := lines.Next(&begin); err != nil {
			return fmt.Errorf("wait for the word: %w", err)
		}
		return order.Write(conn, do(ctx, o.Turns[0]))
	}
	for _, t := range o.Turns {
		if err := ready(ctx, t); err != nil {
			return err
		}
		if err := order.Write(conn, do(ctx, t)); err != nil {
			return err
		}
	}
	return nil
}

// take takes an order to the one who waits for it, and brings the answers back.
func take(ctx context.Context, addr string, stdin io.Reader, stdout io.Writer) (err error) {
	var o order.Order
	// Only a line is read: not every way of kubectl exec can tell that the input ends.
	if err := order.NewLines(stdin).Next(&o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := order.Write(conn, o); err != nil {
		return err
	}
	_, err = io.Copy(stdout, conn)
	return err
}
