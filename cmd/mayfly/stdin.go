package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// input is a command's standard input that stops when a context does: a guest
// that waits for someone to type must not keep Ctrl-C from working.
type input struct {
	file *os.File
	done *os.File // readable once the context has ended
	ctx  context.Context
}

// newInput wraps r where that is a file; any other reader is taken not to block.
// The caller calls release when nothing reads any more.
func newInput(ctx context.Context, r io.Reader) (_ io.Reader, release func(), err error) {
	file, ok := r.(*os.File)
	if !ok {
		return r, func() {}, nil
	}
	done, trigger, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		trigger.Close()
	})
	return &input{file: file, done: done, ctx: ctx}, func() {
		if stop() {
			trigger.Close()
		} else {
			<-ended
		}
		done.Close()
	}, nil
}

func (i *input) Read(p []byte) (int, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(i.file.Fd()), Events: unix.POLLIN}, {Fd: int32(i.done.Fd()), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, os.NewSyscallError("poll", err)
		case fds[1].Revents != 0:
			return 0, context.Cause(i.ctx)
		}
		return i.file.Read(p)
	}
}
