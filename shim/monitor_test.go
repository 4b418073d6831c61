//go:build linux

package shim

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/sys/reaper"
)

func TestRuncLivesWhenThreadsEnd(t *testing.T) {
	c := exec.Command("sleep", "1000")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	exits, err := monitor{reaper.Default}.StartLocked(c)
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
	for {
		if err := reaper.Reap(); err != nil {
			t.Fatal(err)
		}
		select {
		case e := <-exits:
			if e.Pid == c.Process.Pid {
				reaper.Default.Unsubscribe(exits)
				return
			}
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestAProgramThatIsNotThereIsNotStarted(t *testing.T) {
	if _, err := (monitor{reaper.Default}).StartLocked(exec.Command("/not/there")); err == nil {
		t.Error("it was started")
	}
}
