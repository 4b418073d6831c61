//go:build linux

package shim

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/sys/reaper"
	runc "github.com/containerd/go-runc"
	"golang.org/x/sys/unix"
)

// reaping gives a monitor whose processes are reaped as the shim reaps.
func reaping(t *testing.T) *monitor {
	t.Helper()
	signals := make(chan os.Signal, 32)
	signal.Notify(signals, unix.SIGCHLD)
	m, stop := newMonitor(reaper.Default)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		handleSignals(ctx, signals, m, cancel)
	}()
	t.Cleanup(func() {
		signal.Stop(signals)
		cancel()
		<-done
		stop()
	})
	return m
}

func TestRuncLivesWhenThreadsEnd(t *testing.T) {
	m := reaping(t)
	c := exec.Command("sleep", "1000")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	exit, err := m.StartLocked(c)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		taken := make(chan struct{})
		go func() {
			defer close(taken)
			runtime.LockOSThread() // and never unlocked: the thread ends
		}()
		<-taken
	}
	time.Sleep(50 * time.Millisecond) // a signal to the process takes a moment
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(c.Process.Pid) + "/stat")
	if err != nil || strings.Contains(string(stat), ") Z ") {
		t.Errorf("it ended with a thread: %s, %v", stat, err)
	}
	_ = c.Process.Kill()
	if status, err := m.Wait(c, exit); err != nil || status != 128+int(syscall.SIGKILL) {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestAProgramThatIsNotThereIsNotStarted(t *testing.T) {
	m := reaping(t)
	for name, start := range map[string]func(*exec.Cmd) (chan runc.Exit, error){"Start": m.Start, "StartLocked": m.StartLocked} {
		if _, err := start(exec.Command("/not/there")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Many end while others start: each learns its own end, with all that it wrote,
// and nothing is remembered of any.
func TestEachLearnsItsOwnEnd(t *testing.T) {
	m := reaping(t)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			var out strings.Builder
			c := exec.Command("sh", "-c", "echo $0; exit $0", strconv.Itoa(i))
			c.Stdout = &out
			start := m.Start
			if i%2 == 0 {
				start = m.StartLocked
			}
			exit, err := start(c)
			if err != nil {
				t.Error(err)
				return
			}
			if status, err := m.Wait(c, exit); err != nil || status != i || strings.TrimSpace(out.String()) != strconv.Itoa(i) {
				t.Errorf("%d ended with %d, %v, and wrote %q", i, status, err, out.String())
			}
		})
	}
	all.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.running) > 0 || len(m.unclaimed) > 0 || m.starting != 0 {
		t.Errorf("%d running, %d unclaimed, %d starting", len(m.running), len(m.unclaimed), m.starting)
	}
}

// A task service that takes in no more ends holds up the reaper. What waits for
// runc learns of it all the same.
func TestRuncsEndIsLearntThoughSomebodyDoesNotListen(t *testing.T) {
	deaf := reaper.Default.Subscribe()
	defer reaper.Default.Unsubscribe(deaf)
	m := reaping(t)
	for range 2 * cap(deaf) { // others, which nobody takes
		if err := exec.Command("true").Start(); err != nil {
			t.Fatal(err)
		}
	}
	for len(deaf) < cap(deaf) {
		time.Sleep(time.Millisecond)
	}
	for range 20 {
		c := exec.Command("sh", "-c", "exit 3")
		exit, err := m.StartLocked(c)
		if err != nil {
			t.Fatal(err)
		}
		if status, err := m.Wait(c, exit); err != nil || status != 3 {
			t.Errorf("status %d, %v", status, err)
		}
	}
}
