package nodecache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// slot is one of as many as there are processors.
type slot struct {
	number int
	file   *os.File // locked, alone
}

// slotPatience bounds the wait for a slot. What others make may take as long as they like, and whoever waits can do without an entry.
const slotPatience = 20 * time.Second

var errBusy = errors.New("others have been making as many entries as there are processors")

// takeSlot waits until one is free, but not for long.
func (c *Cache) takeSlot(ctx context.Context) (slot, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, slotPatience, errBusy)
	defer cancel()
	var s slot
	err := retry(ctx, func() (bool, error) {
		for n := range runtime.NumCPU() {
			f, err := c.lockFile(fmt.Sprintf("slot-%d", n))
			if f != nil || err != nil {
				s = slot{n, f}
				return f != nil, err
			}
		}
		return false, nil
	})
	return s, err
}

// lockFile locks a file of the cache, for this process alone. It returns nil when another has it.
func (c *Cache) lockFile(name string) (*os.File, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// Not blocking, should it be a pipe.
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	locked, err := tryLock(f, unix.LOCK_EX)
	if !locked {
		f.Close()
		return nil, err
	}
	return f, nil
}
