package nodecache

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// tryLock takes a lock of flock(2), or changes the one that f has, and reports whether it has it. A change that fails loses the old one.
func tryLock(f *os.File, how int) (bool, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var lockErr error
	if err := raw.Control(func(fd uintptr) {
		for {
			if lockErr = unix.Flock(int(fd), how|unix.LOCK_NB); lockErr != unix.EINTR {
				return
			}
		}
	}); err != nil {
		return false, err
	}
	if errors.Is(lockErr, unix.EWOULDBLOCK) {
		return false, nil
	}
	return lockErr == nil, lockErr
}

// How often is tried again what another process must let happen: soon at first, and then so that a hundred that wait cost nothing.
const (
	firstPause = time.Millisecond
	maxPause   = 50 * time.Millisecond
)

// retry tries until it is done, fails, or ctx ends, whose cause it returns then.
func retry(ctx context.Context, try func() (done bool, err error)) error {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		if done, err := try(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
