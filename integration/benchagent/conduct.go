//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

// conduct has the first turn of an order done by many pods at the same moment: each says when it is prepared, and when all are, each is
// told to begin. What they take they measure themselves.
func conduct(ctx context.Context, w io.Writer, o order.Order) error {
	if len(o.Pods) > atOnce {
		return fmt.Errorf("%d pods are more than the %d that can be told at once", len(o.Pods), atOnce)
	}
	ctx, cancel := context.WithTimeout(ctx, leave+patience+10*time.Second)
	defer cancel()
	players := make([]*player, len(o.Pods))
	each := func(do func(p *player) error) {
		var all sync.WaitGroup
		for _, p := range players {
			if p.err == nil {
				all.Go(func() { p.err = do(p) })
			}
		}
		all.Wait()
	}
	for i, addr := range o.Pods {
		players[i] = &player{addr: addr}
	}
	defer func() {
		for _, p := range players {
			if p.conn != nil {
				p.conn.Close()
			}
		}
	}()
	each(func(p *player) error { return p.prepare(ctx, order.Order{Turns: o.Turns[:1], Hold: true}) })
	begin := time.Now()
	for _, p := range players {
		if p.err == nil {
			p.err = order.Write(p.conn, order.Order{})
		}
	}
	told := time.Since(begin)
	each((*player).hear)
	for _, p := range players {
		a := p.answer
		if p.err != nil {
			a = order.Answer{Name: o.Turns[0].Name, Failed: 1, Why: p.err.Error()}
		}
		a.Pod, a.Told = p.addr, told
		if err := order.Write(w, a); err != nil {
			return err
		}
	}
	return nil
}

// player is a pod that does a turn together with others.
type player struct {
	addr   string
	conn   net.Conn
	lines  *order.Lines
	answer order.Answer
	err    error
}

// prepare connects, and waits until the pod is prepared.
func (p *player) prepare(ctx context.Context, o order.Order) (err error) {
	if p.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", p.addr); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := p.conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if err := order.Write(p.conn, o); err != nil {
		return err
	}
	p.lines = order.NewLines(p.conn)
	if err := p.hear(); err != nil {
		return err
	}
	if !p.answer.Ready {
		return errors.New(p.answer.Why)
	}
	return nil
}

// hear reads what the pod says next.
func (p *player) hear() error {
	p.answer = order.Answer{}
	return p.lines.Next(&p.answer)
}
