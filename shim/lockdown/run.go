//go:build linux

package lockdown

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	runc "github.com/containerd/go-runc"
	"github.com/containerd/log"
	"golang.org/x/sys/unix"
)

// stageName is what the process is called, for who looks at a list of processes.
const stageName = "mayfly-compile"

// Descriptors of the process, behind the standard ones.
const (
	gateFd = 3 + iota
	rootFd
	programFd
	// InputFd is the program's input, the only one of them that it has.
	InputFd
)

// Job is a program to be run.
type Job struct {
	Program *os.File
	// Args are the program's arguments. Its working directory and the one place where it can write is "/".
	Args  []string
	Input *os.File
	// User is the number of the user and of the group that it runs as, which nobody else should have.
	User int
	// Memory bounds what it uses, in bytes, and half of it what it writes.
	Memory int64
	// CPU bounds the processor time that it uses.
	CPU time.Duration
}

// ErrFailed is wrapped by the error of a program that ended with another status than 0. The error ends in what it said last.
var ErrFailed = errors.New("it did not succeed")

// maxProcesses bounds its threads. Go starts some for each processor.
const maxProcesses = 512

// endPatience bounds the wait for the end of a process that was killed.
const endPatience = 10 * time.Second

// Run runs a job and returns the directory with its output, which is nowhere in the file system and gone when it is closed.
func Run(ctx context.Context, job Job) (*os.File, error) {
	root, err := newRoot(job)
	if err != nil {
		return nil, fmt.Errorf("make a file system for the output: %w", err)
	}
	defer root.Close()
	out, err := openOutput(root)
	if err != nil {
		return nil, fmt.Errorf("open the output: %w", err)
	}
	if err := run(ctx, job, root); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

func run(ctx context.Context, job Job, root *os.File) error {
	// The process waits for a byte until all is prepared for it; and sees the end of this one by the same pipe.
	gate, open, err := os.Pipe()
	if err != nil {
		return err
	}
	defer open.Close()
	cmd := exec.Command("/proc/self/exe", strconv.Itoa(job.User), strconv.FormatInt(job.Memory, 10), strconv.Itoa(int(job.CPU/time.Second)))
	cmd.Args = append(append([]string{stageName}, cmd.Args[1:]...), job.Args...)
	cmd.Env = []string{StageVariable + "=1"}
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{gate, root, job.Program, job.Input}
	said := &lastWords{}
	cmd.Stderr = said
	cmd.WaitDelay = endPatience
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  unix.SIGKILL,
		Setsid:     true,
	}
	ended, err := runc.Monitor.StartLocked(cmd)
	gate.Close()
	if err != nil {
		return fmt.Errorf("start a process in namespaces of its own: %w", err)
	}
	group, err := newGroup(job.Memory)
	if err == nil {
		err = group.add(cmd.Process.Pid)
	}
	if err != nil {
		log.G(ctx).WithError(err).Warn("no cgroup could be made to compile in: the memory is bounded less exactly")
		defer watchMemory(cmd.Process, job.Memory)()
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	_, _ = open.Write([]byte{1}) // if it is dead, that is seen now
	status, err := runc.Monitor.Wait(cmd, ended)
	stop()
	group.remove(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case status != 0:
		return fmt.Errorf("%w: %s: %s", ErrFailed, describe(status), said)
	}
	return nil
}

// describe says how a process ended, of which the status is known as a shell reports it.
func describe(status int) string {
	switch {
	case status == 128+int(unix.SIGKILL), status < 0: // of which one kind of monitor knows no more
		return "it was killed; the limit of its memory is the usual reason"
	case status > 128:
		return fmt.Sprintf("it ended by signal %d", status-128)
	}
	return fmt.Sprintf("it exited with status %d", status)
}

// maxWords bounds what is kept of what a process says, in bytes.
const maxWords = 2 << 10

// lastWords keeps the end of what is written to it.
type lastWords struct{ text []byte }

func (l *lastWords) Write(b []byte) (int, error) {
	l.text = append(l.text, b[max(0, len(b)-maxWords):]...)
	l.text = l.text[max(0, len(l.text)-maxWords):]
	return len(b), nil
}

// String is the last line, fit to be shown.
func (l *lastWords) String() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(l.text), "?"))
	text = text[strings.LastIndexByte(text, '\n')+1:]
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "without a word"
	}
	return text
}
