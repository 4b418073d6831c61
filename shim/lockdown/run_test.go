//go:build linux

package lockdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/internal/testprogram"
)

func TestMain(m *testing.M) {
	if os.Getenv(StageVariable) != "" {
		os.Exit(Stage(os.Args[1:], os.Stderr))
	}
	leak.Main(m)
}

// probe is the program that is run.
var probe = testprogram.Once("./testdata/probe")

const user = 1_835_000_000

// job is one for the probe.
func job(t *testing.T, does string) Job {
	t.Helper()
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID}
	if os.Geteuid() != 0 || cmd.Run() != nil {
		t.Skip("needs root, to make namespaces")
	}
	path := filepath.Join(t.TempDir(), "probe")
	probe(t, path)
	input := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(input, []byte("a module"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(path string) *os.File {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	return Job{Program: open(path), Args: []string{does}, Input: open(input), User: user, Memory: 256 << 20, CPU: time.Minute}
}

func TestTheProgramHasItsInputAndAPlaceForItsOutputAndNothingElse(t *testing.T) {
	out, err := Run(t.Context(), job(t, "look"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for name, want := range map[string]string{
		"input":        "a module <nil>",
		"user":         fmt.Sprint(user, user, user, user),
		"groups":       "[] <nil>",
		"files":        "/ <nil>",
		"pid":          "1",
		"capabilities": "[{0 0 0} {0 0 0}] <nil>",
		"bounding":     "0 <nil>",
		"no_new_privs": "1 <nil>",
		"descriptors":  "0:20000 1:20000 2:10000 6:100000",
		"namespace":    "operation not permitted",
		"mount":        "operation not permitted",
		"ptrace":       "operation not permitted",
		"socket":       "operation not permitted",
		"network":      "dial tcp 127.0.0.1:22: socket: operation not permitted",
		"fork":         "operation not permitted",
		"environment":  "[GOMEMLIMIT=187904815 GOTRACEBACK=none]",
		"arguments":    "[mayfly-compile look]",
	} {
		fd, err := unix.Openat(int(out.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f := os.NewFile(uintptr(fd), name)
		b, err := io.ReadAll(f)
		f.Close()
		if got := strings.TrimSpace(string(b)); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestAProgramThatFailsSaysWhy(t *testing.T) {
	for does, want := range map[string]string{
		"fail":   "it exited with status 1: the module is [31mbad",
		"memory": "killed",
		"disk":   "file too large",
		"files":  "no space left on device",
	} {
		t.Run(does, func(t *testing.T) {
			out, err := Run(t.Context(), job(t, does))
			if err == nil {
				out.Close()
			}
			t.Log(err)
			if !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheProcessorTimeIsBounded(t *testing.T) {
	j := job(t, "spin")
	j.CPU = time.Second
	if _, err := Run(t.Context(), j); !errors.Is(err, ErrFailed) {
		t.Errorf("got %v", err)
	}
}

func TestTheProgramEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, job(t, "hang")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWhereThereIsNoCgroupMemoryIsBoundedToo(t *testing.T) {
	j := job(t, "memory")
	cmd := exec.Command(j.Program.Name(), "memory")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := watchMemory(cmd.Process, 64<<20)
	defer stop()
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", err)
	}
}

func TestNoCgroupIsLeft(t *testing.T) {
	out, err := Run(t.Context(), job(t, "look"))
	if err != nil {
		t.Fatal(err)
	}
	out.Close()
	for _, pattern := range []string{cgroupMount, cgroupMount + "/*"} {
		left, err := filepath.Glob(filepath.Join(pattern, fmt.Sprint(groupPrefix, os.Getpid(), "-*")))
		if err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}
