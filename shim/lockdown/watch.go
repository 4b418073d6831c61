//go:build linux

package lockdown

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// watchEvery is how often is looked at a process that no cgroup bounds.
const watchEvery = 50 * time.Millisecond

// watchMemory kills a process that has more memory than limit, until the returned function is called. The process cannot make others.
func watchMemory(p *os.Process, limit int64) (stop func()) {
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if resident(p.Pid) > limit {
					_ = p.Kill()
				}
			}
		}
	})
	return func() {
		close(done)
		wait.Wait()
	}
}

// resident is the memory of a process, in bytes; none when it has ended.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var all, pages int64
	if _, err := fmt.Sscan(string(text), &all, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
