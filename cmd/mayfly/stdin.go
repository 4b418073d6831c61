package main

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// input is a command's standard input that stops when a context does, or when
// nobody reads any more: a guest that waits for someone to type must not keep Ctrl-C
// from working, nor one that asked for more than it needed the command from ending.
type input struct {
	file *os.File
	done *os.File // readable once it has stopped
	stop func()
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
	stop := sync.OnceFunc(func() { trigger.Close() })
	unhook := context.AfterFunc(ctx, stop)
	return &input{file: file, done: done, stop: stop, ctx: ctx}, func() {
		unhook()
		stop()
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
		case fds[1].Revents == 0:
			return i.file.Read(p)
		case i.ctx.Err() != nil:
			return 0, context.Cause(i.ctx)
		}
		return 0, os.ErrDeadlineExceeded
	}
}

// SetReadDeadline ends all reads when t has passed, which is how whoever is done
// with a stream ends the read that it began. Other times it cannot set.
func (i *input) SetReadDeadline(t time.Time) error {
	if t.IsZero() || time.Now().Before(t) {
		return os.ErrNoDeadline
	}
	i.stop()
	return nil
}
