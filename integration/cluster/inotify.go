//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// watchers is how many instances of inotify the programs of a cluster have,
// with some to spare for what runs in pods. The kernel has a limit for each
// user, 128 by default, which all clusters on the machine share, and programs
// of Kubernetes that reach it end in the middle of something.
const watchers = 28

// roomForWatchers waits until that many can be had.
func roomForWatchers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lab.Patience(time.Minute))
	defer cancel()
	for {
		err := tryWatchers()
		if !errors.Is(err, unix.EMFILE) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("other clusters or programs watch too many files (%w): end some, or sysctl -w fs.inotify.max_user_instances=1024", err)
		case <-time.After(time.Second):
		}
	}
}

func tryWatchers() error {
	for range watchers {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	return nil
}
