//go:build linux

package lab

import (
	"errors"
	"io"
	"net"
	"sync"
)

// Forward carries connections from the machine into a node. Close ends it.
type Forward struct {
	node   *Node
	from   net.Listener
	to     string
	closed chan struct{}
	work   sync.WaitGroup // the loop that accepts, and two copies for each connection

	mu    sync.Mutex // guards conns
	conns map[net.Conn]struct{}
}

// Forward takes what is accepted from a listener to an address, which must be
// a number, in the node's network.
func (n *Node) Forward(from net.Listener, to string) *Forward {
	f := &Forward{node: n, from: from, to: to, closed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	f.work.Go(f.accept)
	return f
}

func (f *Forward) accept() {
	for {
		in, err := f.from.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // that connection is gone, and not the listener
		}
		f.work.Go(func() { f.carry(in) })
	}
}

// carry copies both ways until both have ended.
func (f *Forward) carry(in net.Conn) {
	defer in.Close()
	const first = 1 // process of the node
	out, err := f.node.DialFrom(first, f.to)
	if err != nil {
		return // who asked sees a connection that ends, as of a server that is not there
	}
	defer out.Close()
	if !f.hold(in, out) {
		return
	}
	defer f.drop(in, out)
	done := make(chan struct{})
	go func() {
		defer close(done)
		oneWay(out, in)
	}()
	oneWay(in, out)
	<-done
}

// oneWay copies until from ends, and tells to so. Where to fails, from may end
// too.
func oneWay(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		from.Close()
	}
	if t, ok := to.(*net.TCPConn); ok {
		_ = t.CloseWrite() // it may have ended
	}
}

// hold notes connections that Close is to end, and is false after it.
func (f *Forward) hold(conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.closed:
		return false
	default:
	}
	for _, c := range conns {
		f.conns[c] = struct{}{}
	}
	return true
}

func (f *Forward) drop(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		delete(f.conns, c)
	}
}

// Close ends the listener and every connection.
func (f *Forward) Close() {
	f.from.Close()
	f.mu.Lock()
	close(f.closed)
	for c := range f.conns {
		c.Close()
	}
	f.mu.Unlock()
	f.work.Wait()
}
