//go:build linux

package main

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// sigRTMin3 is SIGRTMIN+3 as containerd and Docker count, and with it the image's STOPSIGNAL of whoever built on a systemd one.
const sigRTMin3 = syscall.Signal(37)

// stopSignals end the container: whatever people put into an image's STOPSIGNAL. The engine always gets SIGTERM.
func stopSignals() []os.Signal {
	s := []os.Signal{
		syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPWR, sigRTMin3,
		syscall.Signal(control.SignalDone), syscall.Signal(control.SignalFailed),
	}
	// Apache's images stop by SIGWINCH. Where the container has a terminal, it means that somebody resized a window.
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err != nil {
		s = append(s, syscall.SIGWINCH)
	}
	return s
}

// signalWatch makes signals readable, for poll(2) to see beside the sockets.
type signalWatch struct {
	fd   int          // an eventfd: unlike a pipe it cannot be too full to take news
	stop atomic.Int32 // the signal that asked for it, set before fd is
}

// watchSignals starts watching. Its goroutine lives as long as the process.
func watchSignals() (*signalWatch, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	w := &signalWatch{fd: fd}
	// A channel for each kind: children that die in a crowd push no stop aside. One place is enough, as one reap takes all the dead.
	stops, children := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(stops, stopSignals()...)
	signal.Notify(children, syscall.SIGCHLD)
	go w.forward(stops, children)
	return w, nil
}

func (w *signalWatch) forward(stops, children <-chan os.Signal) {
	for one := [8]byte{1}; ; {
		select {
		case s := <-stops:
			w.stop.Store(int32(s.(syscall.Signal)))
		case <-children:
		}
		_, _ = unix.Write(w.fd, one[:]) // it fails only when there is news already
	}
}

// take forgets the news and returns the last signal to stop among it, 0 when there was none.
func (w *signalWatch) take() syscall.Signal {
	var count [8]byte
	_, _ = unix.Read(w.fd, count[:])
	return syscall.Signal(w.stop.Swap(0))
}

// why writes to the container's log what nobody else knows of a signal to stop.
func why(s syscall.Signal) {
	switch s {
	case control.SignalDone:
		say("the pod's main containers are done: stopping")
	case control.SignalFailed:
		say("the pod's main containers are done and not all of them succeeded: stopping, and exiting with a failure as the pod has")
	}
}
