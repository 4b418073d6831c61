//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

func TestHowTheFirstStartWentIsTold(t *testing.T) {
	for _, tc := range []struct {
		part string
		want control.Kind
		text string
		code int
	}{
		{"refuses", control.Error, "no such app", 1},
		{"dies early", control.Error, "exited with status 7 before it was ready", 1},
		{"talks nonsense", control.Error, "before it was ready", 1},
		{"command", control.Final, "", 42},
	} {
		t.Run(tc.part, func(t *testing.T) {
			p := startHolder(t, tc.part)
			if p.answer.Kind != tc.want || !strings.Contains(p.answer.Text, tc.text) {
				t.Errorf("the shim heard %+v", p.answer)
			}
			if code := p.exitCode(t); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
		})
	}
}

func TestEachEngineHasTheCompiledCode(t *testing.T) {
	p := startHolder(t, "goes idle, then tells its code")
	if err := os.WriteFile(filepath.Join(p.Dir, "code"), []byte("compiled"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.waitForEngines(t, 0)
	for range 2 {
		if got := p.ask(t); got != "compiled\n" {
			t.Errorf("the engine has %q", got)
		}
	}
}

func TestTheEngineDiesWithTheHolder(t *testing.T) {
	p := startHolder(t, "stays")
	pid := strings.TrimSpace(p.ask(t))
	p.Process.Kill()
	p.Wait()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(b), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the engine outlived its holder")
		}
	}
}

func TestAHungEngineIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the watchdog's patience")
	}
	for _, tc := range []struct {
		name    string
		orphans time.Duration // between two of them, 0 for none
	}{
		{"in silence", 0},
		{"while orphans die", time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := startHolder(t, "falls silent")
			p.waitForEngines(t, 1)
			done := make(chan struct{})
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for tc.orphans > 0 {
					select {
					case <-done:
						return
					case <-time.After(tc.orphans):
						p.Process.Signal(syscall.SIGCHLD)
					}
				}
			}()
			p.waitForEngines(t, 0)
			close(done)
			<-ended
			// The log comes through a pipe, and may be a little behind.
			for deadline := time.Now().Add(10 * time.Second); !strings.Contains(p.log.String(), "no sign of life"); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the log does not say why: %s", p.log)
				}
			}
		})
	}
}

// The watchdog counts time waited. Here that has passed already, so that the test does not take it.
func TestAnEngineThatIsNeverReadyIsKilled(t *testing.T) {
	for _, tc := range []struct {
		name   string
		engine engine
		killed bool
	}{
		{"it beats, and loads for too long", engine{loading: maxLoading}, true},
		{"it beats, and loads", engine{loading: maxLoading - time.Minute}, false},
		{"it beats, is ready, and took long", engine{loading: maxLoading - time.Minute, ready: true}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			child := exec.Command("sleep", "60")
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			defer child.Wait()
			defer child.Process.Kill()
			ours, theirs, err := control.Pair()
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			defer theirs.Close()
			news, err := unix.Eventfd(0, unix.EFD_NONBLOCK)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(news)
			if err := theirs.Send(control.Message{Kind: control.Beat}); err != nil {
				t.Fatal(err)
			}
			e := tc.engine
			e.pid, e.status = child.Process.Pid, ours
			h := &holder{signals: &signalWatch{fd: news}, tools: -1, engine: &e}
			h.attend()
			if e.killed != tc.killed {
				t.Errorf("killed: %t, want %t", e.killed, tc.killed)
			}
			if e.killed {
				state, err := child.Process.Wait()
				if err != nil || state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Errorf("the engine ended with %v, %v", state, err)
				}
			}
		})
	}
}

func TestAHolderThatCannotWaitEnds(t *testing.T) {
	p := startHolder(t, "stays")
	p.allowFiles(t, 1) // poll(2) refuses more descriptors than a process may have
	p.Process.Signal(syscall.SIGCHLD)
	if code := p.exitCode(t); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.log.String(), "wait for events") {
		t.Errorf("the log does not say why: %s", p.log)
	}
}
