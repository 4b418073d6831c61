//go:build linux

// Package podnet keeps the listening sockets of a pod's sidecars.
//
// The shim binds them in the pod's network namespace and keeps TCP sockets as long as the pod lives: an engine that dies, goes idle
// or is restarted with its container finds its connections waiting, and nobody is refused. A unix socket is a file of one
// container and goes with it.
package podnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
)

var (
	// ErrInUse is returned when somebody else in the pod listens on an address.
	ErrInUse = errors.New("address already in use in this pod")
	// ErrNoAddress is returned for an address that the pod does not have.
	ErrNoAddress = errors.New("the pod has no such address")
)

// Owner is the sidecar a socket belongs to.
type Owner struct {
	ID string
	// Name is what the pod calls it, for messages.
	Name string
	// Process is the /proc directory of a process of the container, opened when it was known to be that: its network namespace and
	// root are where sockets are bound. A number would be somebody else's once the process is gone.
	Process *os.File
	// User makes unix sockets.
	User User
}

// User is who a process of the container is, as the node numbers it.
type User struct {
	UID, GID int
	Groups   []int
}

// Pod is the sockets of one pod.
type Pod struct {
	// whose names the container that has a socket open, given the socket's inode; "" when it cannot tell.
	whose func(ctx context.Context, inode uint64) string

	mu      sync.Mutex // guards sockets and what is in them; nothing waits while it is held
	sockets map[string]*socket

	unlinks sync.WaitGroup
}

// socket is an address that is somebody's, or was.
type socket struct {
	address config.Address
	owner   Owner
	active  bool     // the owner has not ended
	file    *os.File // nil while it is being bound
	boundBy string   // the id of the owner it was bound for
	unlink  func()   // removes a unix socket's file; nil for TCP
}

// NewPod returns the sockets of a pod: none yet. Errors name who is in the way with the help of whose.
func NewPod(whose func(ctx context.Context, inode uint64) string) *Pod {
	return &Pod{whose: whose, sockets: map[string]*socket{}}
}

// Listen returns listening sockets for the addresses, bound now or left by a container that has ended. The files stay the Pod's.
// Either all addresses are o's afterwards or none is. Errors wrap [ErrInUse] or [ErrNoAddress] where that is the reason.
func (p *Pod) Listen(ctx context.Context, o Owner, addresses []config.Address) ([]*os.File, error) {
	var files []*os.File
	for _, a := range addresses {
		f, err := p.listen(ctx, o, a)
		if errors.Is(err, ErrNoAddress) && a.Optional {
			continue
		}
		if err != nil {
			p.Abandon(o.ID)
			return nil, fmt.Errorf("listen on %s: %w", a, err)
		}
		files = append(files, f)
	}
	return files, nil
}

// listen makes the socket for one address o's.
func (p *Pod) listen(ctx context.Context, o Owner, a config.Address) (*os.File, error) {
	f, err := p.reserve(o, a)
	if f != nil || err != nil {
		return f, err
	}
	bound, err := bind(o, a)
	if errors.Is(err, unix.EADDRINUSE) && a.Network != "unix" {
		err = p.inUse(ctx, o, a)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sockets[key(o, a)]
	switch {
	case err != nil:
		delete(p.sockets, key(o, a))
		return nil, err
	case s == nil: // the pod was closed meanwhile
		p.drop(bound)
		return nil, os.ErrClosed
	}
	s.file, s.unlink = bound.file, bound.unlink
	return s.file, nil
}

// reserve takes over the socket that a container before has left, or notes that o is about to bind one, and returns nil.
func (p *Pod) reserve(o Owner, a config.Address) (*os.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.sockets[key(o, a)]; s != nil && !s.active && s.file != nil && listening(s.file) {
		s.owner, s.active = o, true
		return s.file, nil
	}
	for k, s := range p.sockets {
		if !overlap(s, o, a) {
			continue
		}
		if s.active || s.file == nil {
			return nil, fmt.Errorf("%w: sidecar %q has it; give one of the two another PORT or MAYFLY_LISTEN", ErrInUse, name(s.owner))
		}
		p.drop(s)
		delete(p.sockets, k)
	}
	p.sockets[key(o, a)] = &socket{address: a, owner: o, active: true, boundBy: o.ID}
	return nil, nil
}

// inUse says who is in the way.
func (p *Pod) inUse(ctx context.Context, o Owner, a config.Address) error {
	who := "a container that is no sidecar"
	if n := p.whose(ctx, listenerInode(o.Process, a)); n != "" {
		who = "container " + strconv.Quote(n)
	} else if ofTheNode(o.Process) {
		who = "the pod has the node's network, and another pod or a program of the node"
	}
	return fmt.Errorf("%w: %s has it; set PORT or MAYFLY_LISTEN to one that is free", ErrInUse, who)
}

// Release says that a sidecar has ended. Its TCP sockets stay for who comes next.
func (p *Pod) Release(id string) {
	p.giveUp(id, func(s *socket) bool { return s.address.Network != "unix" })
}

// Abandon says that a sidecar never got to run, or has no use for its sockets. What was bound for it is closed, what it took over from another stays.
func (p *Pod) Abandon(id string) { p.giveUp(id, func(s *socket) bool { return s.boundBy != id }) }

func (p *Pod) giveUp(id string, keep func(*socket) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, s := range p.sockets {
		if s.owner.ID != id {
			continue
		}
		s.active = false
		if s.file != nil && !keep(s) {
			p.drop(s)
			delete(p.sockets, k)
		}
	}
}

// Close closes all sockets: the pod has ended.
func (p *Pod) Close() {
	p.mu.Lock()
	for k, s := range p.sockets {
		p.drop(s)
		delete(p.sockets, k)
	}
	p.mu.Unlock()
	p.unlinks.Wait()
}

// drop closes a socket.
func (p *Pod) drop(s *socket) {
	if s.file != nil {
		s.file.Close()
	}
	if s.unlink != nil {
		// By itself: it looks at the container's files, which may be on a volume that hangs.
		p.unlinks.Go(s.unlink)
	}
}

func name(o Owner) string {
	if o.Name != "" {
		return o.Name
	}
	return o.ID
}

// key is what two sidecars cannot both have. Paths are the containers' own: there the file decides.
func key(o Owner, a config.Address) string {
	if a.Network == "unix" {
		return o.ID + " " + a.String()
	}
	return a.String()
}

// overlap reports whether an address cannot be bound beside a socket.
func overlap(s *socket, o Owner, a config.Address) bool {
	if s.address.Network != a.Network {
		return false
	}
	if a.Network == "unix" {
		return key(s.owner, s.address) == key(o, a)
	}
	wild := func(h string) bool { return h == "0.0.0.0" || h == "::" }
	return s.address.Port == a.Port && (s.address.Host == a.Host || wild(s.address.Host) || wild(a.Host))
}

// listening reports whether a socket still listens: who has a copy can have shut it down.
func listening(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	accepts := 0
	_ = raw.Control(func(fd uintptr) { accepts, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN) })
	return accepts == 1
}
