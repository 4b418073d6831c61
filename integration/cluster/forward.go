//go:build linux

package cluster

import (
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// forward makes the API server, which listens in the node's network, one of
// the machine's, at an address that stays when the node reboots.
type forward struct {
	listener net.Listener
	node     *lab.Node
	serving  sync.WaitGroup

	up sync.RWMutex // held for reading while the node is asked, for writing while there is none

	mu     sync.Mutex // guards what follows
	open   map[net.Conn]bool
	closed bool
}

// listen starts to forward. End it with close.
func listen(n *lab.Node) (*forward, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("forward to the API server: %w", err)
	}
	f := &forward{listener: l, node: n, open: map[net.Conn]bool{}}
	f.serving.Go(f.accept)
	return f, nil
}

func (f *forward) address() string { return f.listener.Addr().String() }

func (f *forward) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return // it was closed
		}
		f.serving.Go(func() { f.serve(conn) })
	}
}

// serve carries what both sides say until one has nothing more to say.
func (f *forward) serve(client net.Conn) {
	defer client.Close()
	if !f.keep(client) {
		return
	}
	defer f.drop(client)
	server, err := f.dial()
	if err != nil {
		return // the client sees that nobody is there
	}
	defer server.Close()
	if !f.keep(server) {
		return
	}
	defer f.drop(server)
	var back sync.WaitGroup
	back.Go(func() { carry(client, server) })
	carry(server, client)
	back.Wait()
}

// carry copies until from ends, and tells to.
func carry(to, from net.Conn) {
	_, _ = io.Copy(to, from) // an error ends the connection, and both sides see it
	if c, ok := to.(*net.TCPConn); ok {
		_ = c.CloseWrite()
	}
}

func (f *forward) dial() (net.Conn, error) {
	f.up.RLock()
	defer f.up.RUnlock()
	return f.node.DialFrom(1, "127.0.0.1:"+apiPort) // 1 is there as long as the node is
}

// keep notes that conn is open, and says whether it may be.
func (f *forward) keep(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.open[conn] = true
	}
	return !f.closed
}

func (f *forward) drop(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, conn)
}

// pause does something to the node while nobody is let through.
func (f *forward) pause(do func() error) error {
	f.up.Lock()
	defer f.up.Unlock()
	f.hangUp()
	return do()
}

func (f *forward) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		conn.Close()
	}
}

func (f *forward) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.listener.Close()
	f.hangUp()
	f.serving.Wait()
}
