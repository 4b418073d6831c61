//go:build linux

package shim

import (
	"os/exec"
	"runtime"

	"github.com/containerd/containerd/v2/pkg/sys/reaper"
	runc "github.com/containerd/go-runc"
)

// monitor is containerd's, which starts runc and learns of its end, but keeps the thread that runc is started from until then: runc dies
// with it (prctl(2), PR_SET_PDEATHSIG). containerd lets go of the thread at once, as its own never end. Of ours, those that were in a
// pod's network do.
type monitor struct{ *reaper.Monitor }

var _ runc.ProcessMonitor = monitor{}

// StartLocked implements runc.ProcessMonitor.
func (m monitor) StartLocked(c *exec.Cmd) (chan runc.Exit, error) {
	var exits chan runc.Exit
	started := make(chan error, 1)
	go func() { // ends with the process
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		ended := m.Subscribe()
		defer m.Unsubscribe(ended)
		var err error
		exits, err = m.Start(c)
		started <- err
		if err != nil {
			return
		}
		for e := range ended {
			if e.Pid == c.Process.Pid {
				return
			}
		}
	}()
	err := <-started
	return exits, err
}
