package main

import (
	"fmt"
	"net"
	"os"

	"github.com/mayfly-run/mayfly/wasihttp"
)

// inherit makes listeners and connections of the descriptors that the holder left.
func inherit(f flags) (ls []net.Listener, conns []net.Conn, err error) {
	for _, fd := range f.listen {
		file := os.NewFile(uintptr(fd), "listener")
		l, err := net.FileListener(file)
		_ = file.Close() // l has a copy
		if err != nil {
			return nil, nil, fmt.Errorf("take over the listening socket %d: %w", fd, err)
		}
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false) // the socket stays when this engine goes
		}
		ls = append(ls, l)
	}
	return ls, append(connections(f.conns), greetedConnections(f.greeted)...), nil
}

func greetedConnections(fds []int) (conns []net.Conn) {
	for _, c := range connections(fds) {
		conns = append(conns, wasihttp.Greeted(c))
	}
	return conns
}

func connections(fds []int) (conns []net.Conn) {
	for _, fd := range fds {
		file := os.NewFile(uintptr(fd), "connection")
		c, err := net.FileConn(file)
		_ = file.Close()
		if err != nil {
			continue // its client is gone since
		}
		conns = append(conns, c)
	}
	return conns
}
