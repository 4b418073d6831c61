//go:build linux

package main

import (
	"context"
	"errors"
	"net"
	"sync"
)

// atOnce bounds how many connections are served at the same time; more than any order needs.
const atOnce = 512

// serve calls handle for each connection until ctx ends, and waits for all.
func serve(ctx context.Context, l net.Listener, handle func(context.Context, net.Conn)) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, atOnce)
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return errors.Join(err, l.Close())
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			handle(ctx, conn)
		})
	}
}
