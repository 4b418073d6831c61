package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

var (
	errSignal     = errors.New("stopped by a signal")
	errHolderGone = errors.New("the holder is gone")
)

// stop tells the engine to stop, and to hurry.
type stop struct {
	ctx    context.Context // ends with the first signal, or with the holder
	cancel context.CancelCauseFunc
	hurry  context.Context // ends with the second, or with the holder
	rush   context.CancelFunc

	signals chan os.Signal
	wait    sync.WaitGroup
}

func newStop() *stop {
	s := &stop{signals: make(chan os.Signal, 2)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.hurry, s.rush = context.WithCancel(context.Background())
	signal.Notify(s.signals, syscall.SIGTERM, syscall.SIGINT)
	s.wait.Go(func() {
		for range s.signals {
			if s.ctx.Err() != nil {
				s.rush()
			}
			s.cancel(errSignal)
		}
	})
	return s
}

// holderGone stops the engine at once: nobody would know of its end.
func (s *stop) holderGone() {
	s.cancel(errHolderGone)
	s.rush()
}

// close waits for the goroutine.
func (s *stop) close() {
	signal.Stop(s.signals)
	close(s.signals)
	s.wait.Wait()
}
