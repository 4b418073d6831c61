//go:build linux

package shim

import (
	"errors"
	"fmt"
	"os"
	"time"

	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"golang.org/x/sys/unix"
)

// listenOrJoin returns a listening socket for a new shim, or nil when one listens at address already.
func listenOrJoin(address string) (*os.File, error) {
	l, err := containerdshim.NewSocket(address)
	if err != nil {
		if !containerdshim.SocketEaddrinuse(err) {
			return nil, fmt.Errorf("make the shim's socket: %w", err)
		}
		if !abandoned(address) {
			return nil, nil
		}
		// Left by a shim that was killed, or removed just now by one that ends.
		if err := containerdshim.RemoveSocket(address); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove the socket of a dead shim: %w", err)
		}
		if l, err = containerdshim.NewSocket(address); err != nil {
			return nil, fmt.Errorf("make the shim's socket: %w", err)
		}
	}
	// The socket's file outlives this process: the shim serves it.
	l.SetUnlinkOnClose(false)
	defer l.Close()
	return l.File()
}

// removeSocket removes the socket at address unless somebody listens there. containerd has a container deleted this way also
// when its pod's shim lives, and could not create it.
func removeSocket(address string) {
	if address != "" && abandoned(address) {
		_ = containerdshim.RemoveSocket(address)
	}
}

// connectPatience bounds a connection to a shim, which takes longer than a moment on a node that is very busy.
const connectPatience = 10 * time.Second

// abandoned tells whether nobody listens on a socket. A failure to connect of another kind does not say so: without its file a shim
// that was only slow, or had too many callers, is cut off from containerd for the rest of its pod's life.
func abandoned(address string) bool {
	c, err := containerdshim.AnonDialer(address, connectPatience)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, os.ErrNotExist)
}
