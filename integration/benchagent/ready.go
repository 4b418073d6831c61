//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

const (
	// leave is how long an engine may take to go away when its time is over.
	leave = 90 * time.Second
	// settle is what the kernel gets to tidy up after it.
	settle = 100 * time.Millisecond
	// warmups is how often the client's own code runs before it takes the time of something that happens only once.
	warmups = 50
)

// ready does what must be done before a turn.
func ready(ctx context.Context, t order.Turn) error {
	if t.For == 0 {
		if err := warm(ctx); err != nil {
			return err
		}
	}
	if t.Reach {
		if err := reach(ctx, t.Port); err != nil {
			return err
		}
	}
	if !t.Idle {
		return nil
	}
	for end := time.Now().Add(leave); ; {
		n, err := count("/proc", order.Engine)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d engines are still there after %v, which have nothing to do: is MAYFLY_IDLE_TIMEOUT respected?", n, leave)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return sleep(ctx, settle)
}

// reach waits until somebody listens. A pod is Ready when its containers were started, which does not mean that they do.
func reach(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return conn.Close()
		}
		if err := errors.Join(sleep(ctx, 20*time.Millisecond), ctx.Err()); err != nil {
			return fmt.Errorf("nobody listens on port %d: %w", port, err)
		}
	}
}

// warm asks a server in this process, so that the first request to somebody else pays for nothing that is the client's.
func warm(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- serveStatic(ctx, l) }()
	t := order.Turn{Port: l.Addr().(*net.TCPAddr).Port, Anew: true}
	var a order.Answer
	for range warmups {
		a = do(ctx, t)
	}
	stop()
	if err := <-served; err != nil {
		return err
	}
	if a.Failed > 0 {
		return fmt.Errorf("ask this program itself: %s", a.Why)
	}
	return nil
}

// count is how many processes of that name there are.
func count(proc, name string) (n int, err error) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		line, err := os.ReadFile(filepath.Join(proc, e.Name(), "cmdline"))
		if err != nil {
			continue // no process, or one that has just ended
		}
		if first, _, _ := bytes.Cut(line, []byte{0}); filepath.Base(string(first)) == name {
			n++
		}
	}
	return n, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
