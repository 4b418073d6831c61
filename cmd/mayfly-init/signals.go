//go:build linux

package main

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalWatch makes signals readable: a byte for each arrives on a pipe, for poll(2) to see beside the sockets.
type signalWatch struct {
	fd int
}

// stopSignals end the container: the ones people put into an image's STOPSIGNAL.
var stopSignals = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP}

// watchSignals starts watching. Its goroutine lives as long as the process.
func watchSignals() (*signalWatch, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	ch := make(chan os.Signal, 16)
	signal.Notify(ch, append(stopSignals, syscall.SIGCHLD)...)
	go func() {
		var b [1]byte
		for s := range ch {
			b[0] = byte(s.(syscall.Signal))
			// A full pipe holds bytes enough to wake the reader, and it looks for all dead children each time.
			_, _ = unix.Write(p[1], b[:])
		}
	}()
	return &signalWatch{fd: p[0]}, nil
}

// take returns whether a stop signal and whether news of children arrived since the last call.
func (w *signalWatch) take() (stop, child bool) {
	var buf [64]byte
	for {
		n, err := unix.Read(w.fd, buf[:])
		if n <= 0 || err != nil {
			return stop, child
		}
		for _, b := range buf[:n] {
			if syscall.Signal(b) == syscall.SIGCHLD {
				child = true
			} else {
				stop = true
			}
		}
	}
}
