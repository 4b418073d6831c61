//go:build linux

// Package podnet keeps the listening sockets of a pod's sidecars.
//
// The shim binds them in the pod's network namespace and keeps them as long as the pod lives: an engine that dies, goes idle or is
// restarted with its container finds its connections waiting, and nobody is refused.
package podnet

import (
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
	// Pid is a process of the container: its network namespace and root are where sockets are bound.
	Pid int
	// UID and GID own unix sockets.
	UID, GID int
}

// Pod is the sockets of one pod.
type Pod struct {
	// Whose names the container that has a socket open, given the socket's inode; "" when it cannot tell.
	whose func(inode uint64) string

	mu      sync.Mutex // guards sockets
	sockets map[string]*socket
}

type socket struct {
	address config.Address
	file    *os.File
	owner   Owner
	active  bool   // the owner has not ended
	unlink  func() // removes a unix socket's file; nil for TCP
}

// NewPod returns the sockets of a pod: none yet. Errors name who is in the way with the help of whose.
func NewPod(whose func(inode uint64) string) *Pod {
	return &Pod{whose: whose, sockets: map[string]*socket{}}
}

// Listen returns listening sockets for the addresses, bound now or left by a container that has ended. The files stay the Pod's.
// Either all addresses are o's afterwards or none is. Errors wrap [ErrInUse] or [ErrNoAddress] where that is the reason.
func (p *Pod) Listen(o Owner, addresses []config.Address) ([]*os.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var files []*os.File
	var taken []*socket
	for _, a := range addresses {
		s, err := p.take(o, a)
		if errors.Is(err, ErrNoAddress) && a.Optional {
			continue
		}
		if err != nil {
			for _, s := range taken {
				s.active = false
			}
			return nil, fmt.Errorf("listen on %s: %w", a, err)
		}
		taken = append(taken, s)
		files = append(files, s.file)
	}
	return files, nil
}

// take makes the socket for one address o's.
func (p *Pod) take(o Owner, a config.Address) (*socket, error) {
	key := a.String()
	if s := p.sockets[key]; s != nil && !s.active && a.Network != "unix" {
		s.owner, s.active = o, true
		return s, nil
	}
	for k, s := range p.sockets {
		if !overlap(s.address, a) {
			continue
		}
		if s.active {
			return nil, fmt.Errorf("%w: sidecar %q has it; give one of the two another PORT", ErrInUse, name(s.owner))
		}
		s.close()
		delete(p.sockets, k)
	}
	s, err := bind(o, a)
	if errors.Is(err, unix.EADDRINUSE) && a.Network != "unix" {
		return nil, p.inUse(o, a)
	}
	if err != nil {
		return nil, err
	}
	p.sockets[key] = s
	return s, nil
}

// inUse says which container is in the way.
func (p *Pod) inUse(o Owner, a config.Address) error {
	who := "a container that is no sidecar"
	if n := p.whose(listenerInode(o.Pid, a)); n != "" {
		who = "container " + strconv.Quote(n)
	}
	return fmt.Errorf("%w: %s has it; set PORT to one that is free", ErrInUse, who)
}

// Release says that a sidecar has ended. Its TCP sockets stay for who comes next.
func (p *Pod) Release(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, s := range p.sockets {
		if s.owner.ID != id {
			continue
		}
		s.active = false
		if s.address.Network == "unix" {
			s.close()
			delete(p.sockets, key)
		}
	}
}

// Close closes all sockets: the pod has ended.
func (p *Pod) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, s := range p.sockets {
		s.close()
		delete(p.sockets, key)
	}
}

func (s *socket) close() {
	s.file.Close()
	if s.unlink != nil {
		s.unlink()
	}
}

func name(o Owner) string {
	if o.Name != "" {
		return o.Name
	}
	return o.ID
}

// overlap reports whether two addresses cannot both be bound.
func overlap(a, b config.Address) bool {
	if a.Network != b.Network {
		return false
	}
	if a.Network == "unix" {
		return false // paths are the containers' own; the file decides
	}
	wild := func(h string) bool { return h == "0.0.0.0" || h == "::" }
	return a.Port == b.Port && (a.Host == b.Host || wild(a.Host) || wild(b.Host))
}
