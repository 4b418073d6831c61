//go:build linux

package main

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// engine is the child that serves requests.
type engine struct {
	pid    int
	status *control.Conn
	final  bool // it said Final: its exit is the container's
	idle   bool // it said Idle: it leaves because there is nothing to do
	gone   bool // its end of the link is closed: it is dead or about to be
	quiet  int  // beats missed in a row
}

// startEngine starts one with the listening sockets and with connections that are accepted already.
func startEngine(args []string, listeners, conns []int) (*engine, error) {
	ours, theirs, err := control.Pair()
	if err != nil {
		return nil, err
	}
	// Not theirs.Close: that would hang up the child's copy as well.
	defer unix.Close(theirs.Fd())
	files := []uintptr{0, 1, 2, uintptr(theirs.Fd())}
	argv := []string{"mayfly-engine", "-status", "3"}
	argv, files = appendFiles(argv, files, "-listen", listeners)
	argv, files = appendFiles(argv, files, "-conn", conns)
	pid, err := syscall.ForkExec(enginePath, append(argv, args...), &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: files,
		// An engine without holder would answer for a container that is gone.
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		ours.Close()
		return nil, err
	}
	if err := unix.SetNonblock(ours.Fd(), true); err != nil {
		ours.Close()
		return nil, err
	}
	return &engine{pid: pid, status: ours}, nil
}

func appendFiles(argv []string, files []uintptr, flag string, fds []int) ([]string, []uintptr) {
	if len(fds) == 0 {
		return argv, files
	}
	list := ""
	for i, fd := range fds {
		if i > 0 {
			list += ","
		}
		list += strconv.Itoa(len(files))
		files = append(files, uintptr(fd))
	}
	return append(argv, flag, list), files
}

// describe says how a process ended.
func describe(ws syscall.WaitStatus) string {
	switch {
	case ws.Signaled() && ws.Signal() == syscall.SIGKILL:
		return "was killed (signal 9; the memory limit of the container is the usual reason)"
	case ws.Signaled():
		return "ended by signal " + strconv.Itoa(int(ws.Signal()))
	default:
		return "exited with status " + strconv.Itoa(ws.ExitStatus())
	}
}

// exitCode is ws as a shell would report it.
func exitCode(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
