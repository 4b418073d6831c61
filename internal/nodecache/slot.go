package nodecache

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// slot is one of as many as there are processors.
type slot struct {
	number int
	file   *os.File // locked, alone
}

// takeSlot waits until one is free.
func (c *Cache) takeSlot(ctx context.Context) (slot, error) {
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
