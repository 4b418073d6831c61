//go:build linux

package shim

import (
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/pkg/sys/reaper"
	runc "github.com/containerd/go-runc"
	"golang.org/x/sys/unix"
)

// monitor starts runc and learns of its end by itself. containerd's reaper tells everybody of every end, one after the other, and waits a second
// for who does not listen; the task service does not while it waits for a runc, whose own end is then behind those that it does not take in.
// Pods of forty containers that share their processes took half a minute to end that way, and those of a thousand did not end.
//
// So reap looks for runc's ends first, and leaves all others to the reaper. One that comes in that very moment is learnt from the reaper after all.
type monitor struct {
	mu      sync.Mutex // guards what follows
	running map[int]*process
	// starting is how many are being started, whose number is not known yet; unclaimed is who ended meanwhile and may be one of them.
	starting  int
	unclaimed map[int]runc.Exit
}

// process is a runc, until it has ended.
type process struct {
	exit chan runc.Exit // has room for the one exit there is
	gone chan struct{}  // closed with it
}

var _ runc.ProcessMonitor = (*monitor)(nil)

// newMonitor makes a monitor that hears of what it misses from a reaper, until stop is called.
func newMonitor(from *reaper.Monitor) (m *monitor, stop func()) {
	m = &monitor{running: map[int]*process{}, unclaimed: map[int]runc.Exit{}}
	exits := from.Subscribe()
	go func() { // until stop
		for e := range exits {
			m.ended(e)
		}
	}()
	return m, func() { from.Unsubscribe(exits) }
}

// reap reaps runcs that have ended, and tells whether there are other children that have.
func (m *monitor) reap() (others bool) {
	for {
		reaped := m.reapRunning()
		var next unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &next, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err != nil || next.Signo == 0 {
			return false
		}
		if reaped == 0 {
			return true
		}
	}
}

func (m *monitor) reapRunning() (reaped int) {
	m.mu.Lock()
	pids := slices.Collect(maps.Keys(m.running))
	m.mu.Unlock()
	for _, pid := range pids {
		if m.reapOne(pid) {
			reaped++
		}
	}
	return reaped
}

// reapOne reaps a runc if it has ended.
func (m *monitor) reapOne(pid int) bool {
	var status unix.WaitStatus
	if got, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); err != nil || got != pid {
		return false
	}
	m.ended(runc.Exit{Timestamp: time.Now(), Pid: pid, Status: exitStatus(status)})
	return true
}

// exitStatus is a status as shells have it, and go-runc.
func exitStatus(s unix.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

func (m *monitor) ended(e runc.Exit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ours := m.running[e.Pid]; ours {
		delete(m.running, e.Pid)
		p.end(e)
	} else if m.starting > 0 {
		m.unclaimed[e.Pid] = e
	}
}

func (p *process) end(e runc.Exit) {
	p.exit <- e
	close(p.gone)
}

func (m *monitor) start(c *exec.Cmd) (*process, error) {
	m.mu.Lock()
	m.starting++
	m.mu.Unlock()
	err := c.Start()
	p := m.started(c, err)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.gone:
	default:
		m.reapOne(c.Process.Pid) // it may have ended before it was known
	}
	return p, nil
}

// started makes what was started known, unless that failed, or it has ended already.
func (m *monitor) started(c *exec.Cmd, err error) *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starting--
	p := &process{exit: make(chan runc.Exit, 1), gone: make(chan struct{})}
	if err == nil {
		if e, has := m.unclaimed[c.Process.Pid]; has {
			p.end(e)
		} else {
			m.running[c.Process.Pid] = p
		}
	}
	if m.starting == 0 {
		clear(m.unclaimed)
	}
	return p
}

// Start implements runc.ProcessMonitor.
func (m *monitor) Start(c *exec.Cmd) (chan runc.Exit, error) {
	p, err := m.start(c)
	if err != nil {
		return nil, err
	}
	return p.exit, nil
}

// StartLocked implements runc.ProcessMonitor. It keeps the thread that runc is started from until runc ends: runc dies with it (prctl(2),
// PR_SET_PDEATHSIG). containerd lets go of the thread at once, as its own never end. Of ours, those that were in a pod's network do.
func (m *monitor) StartLocked(c *exec.Cmd) (chan runc.Exit, error) {
	var p *process
	var err error
	started := make(chan struct{})
	go func() { // ends with the process
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p, err = m.start(c)
		close(started)
		if err == nil {
			<-p.gone
		}
	}()
	<-started
	if err != nil {
		return nil, err
	}
	return p.exit, nil
}

// Wait implements runc.ProcessMonitor: it returns the exit status of what was started, once all that it wrote was read.
func (m *monitor) Wait(c *exec.Cmd, exit chan runc.Exit) (int, error) {
	e := <-exit
	_ = c.Wait() // it was reaped, so this fails, but not before the pipes are at their end
	return e.Status, nil
}
