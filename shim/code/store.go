//go:build linux

package code

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/containerd/log"
	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/nodecache"
)

const (
	// DefaultDir is where the cache is.
	DefaultDir = "/var/lib/mayfly/cache"
	// DefaultLimit bounds its size, in bytes.
	DefaultLimit = 2 << 30
)

// patience bounds the time for an entry, with the wait for others who compile. kubelet gives up a container's start after two minutes, in which
// the engine has to do it if this fails.
const patience = 90 * time.Second

// Store is where compiled code is.
type Store struct {
	Dir    string
	Limit  int64
	Engine string // the path of the program that compiles, and runs what it compiled
}

// Code is the compiled code of one sidecar, or will be. A nil one is none.
type Code struct {
	cancel context.CancelFunc
	ready  chan struct{} // closed when it is known whether there is an entry
	ended  chan struct{} // closed when nothing is under way any more

	mu      sync.Mutex // guards what follows
	stopped bool
	entry   *nodecache.Entry // nil when there is none
	dir     *os.File         // for the container: the entry, read-only; until somebody takes it
}

// Begin reads a module and begins to provide its code. The caller must Close what it returns, and may close the module at once. It returns nil
// when there will be no code, and has logged why.
func (s *Store) Begin(ctx context.Context, id string, module *os.File) *Code {
	ctx = log.WithLogger(ctx, log.G(ctx).WithField("id", id))
	j, err := s.newJob(module)
	if err != nil {
		log.G(ctx).WithError(err).Warn("the node's cache of compiled code is not used")
		return nil
	}
	// Start waits for it, which is another call.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	c := &Code{cancel: cancel, ready: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		defer cancel()
		defer j.close()
		made := c.provide(ctx, j)
		close(c.ready)
		if !made {
			return
		}
		if err := j.cache.Evict(j.limit); err != nil {
			log.G(ctx).WithError(err).Warn("the cache of compiled code is not tidy")
		}
	}()
	return c
}

// provide finds or makes the entry, and reports whether it was made.
func (c *Code) provide(ctx context.Context, j *job) bool {
	begin := time.Now()
	entry, made, err := j.entry(ctx)
	if err == nil {
		err = c.take(entry)
	}
	switch {
	case errors.Is(context.Cause(ctx), context.Canceled):
		// Nobody wants it any more.
	case err != nil:
		log.G(ctx).WithError(err).Warn("there is no compiled code: the engine compiles by itself")
	default:
		log.G(ctx).WithFields(log.Fields{
			"module": j.name(), "compiled": made, "in": time.Since(begin).Round(time.Millisecond),
		}).Info("the sidecar's code is in the cache")
	}
	return made
}

// take makes the entry the Code's.
func (c *Code) take(entry *nodecache.Entry) error {
	dir, err := readOnly(entry.Dir())
	if err != nil {
		entry.Close()
		return fmt.Errorf("open the entry for the container: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entry, c.dir = entry, dir
	if c.stopped {
		c.release()
	}
	return nil
}

// Wait waits for the code and returns a descriptor of its directory, which is the caller's; nil when there is none, or the caller has it already. It
// fails when ctx ends.
func (c *Code) Wait(ctx context.Context) (*os.File, error) {
	if c == nil {
		return nil, nil
	}
	select {
	case <-c.ready:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for compiled code: %w", context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dir := c.dir
	c.dir = nil
	return dir, nil
}

// Stop stops what is under way and lets others remove the entry. It may be called again.
func (c *Code) Stop() {
	if c == nil {
		return
	}
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.release()
}

func (c *Code) release() {
	if c.entry != nil {
		c.entry.Close()
		c.entry = nil
	}
	if c.dir != nil {
		c.dir.Close()
		c.dir = nil
	}
}

// Close is Stop, and waits for the end of what was under way.
func (c *Code) Close() {
	if c == nil {
		return
	}
	c.Stop()
	<-c.ended
}

// errOld is returned where the kernel cannot make what readOnly needs.
var errOld = errors.New("the kernel has no mount_setattr(2): it needs Linux 5.12")

// checkKernel returns errOld before anything is compiled that no container could have.
func checkKernel() error {
	if err := unix.MountSetattr(-1, "", unix.AT_EMPTY_PATH, &unix.MountAttr{}); errors.Is(err, unix.ENOSYS) {
		return errOld
	}
	return nil
}

// readOnly opens a directory once more, on a mount of its own that is nowhere in the file system: a container's root cannot write there either.
func readOnly(dir *os.File) (*os.File, error) {
	mnt, err := unix.OpenTree(int(dir.Fd()), "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	if err != nil {
		return nil, fmt.Errorf("open_tree: %w", err)
	}
	defer unix.Close(mnt)
	attributes := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if err := unix.MountSetattr(mnt, "", unix.AT_EMPTY_PATH, &attributes); err != nil {
		return nil, fmt.Errorf("mount_setattr: %w", err)
	}
	fd, err := unix.Openat(mnt, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), dir.Name()), nil
}
