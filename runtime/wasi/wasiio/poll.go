package wasiio

import (
	"context"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// maxPollables bounds what one call of poll waits for. The specification would allow as many as fit a list.
const maxPollables = 1 << 16

// NewPollable returns a handle of wasi:io/poll.pollable. Nothing is told p when the guest drops it.
func NewPollable(p Pollable) component.Value { return abi.Resource(p) }

// waiter is what of [component.Call] waiting takes.
type waiter interface {
	Context() context.Context
	Wait(ready <-chan struct{}) error
}

// pollAll is wasi:io/poll.poll.
func pollAll(c *component.Call, args []component.Value) (component.Value, error) {
	list := args[0].List()
	pollables := make([]Pollable, len(list))
	for i, v := range list {
		pollables[i] = v.Resource().(Pollable)
	}
	ready, err := poll(c, pollables)
	if err != nil {
		if f, ok := err.(fatal); ok {
			err = f.error
		}
		return component.Value{}, err
	}
	indices := make([]component.Value, len(ready))
	for i, n := range ready {
		indices[i] = abi.U32(n)
	}
	return abi.List(indices...), nil
}

// pollableReady is wasi:io/poll.[method]pollable.ready.
func pollableReady(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.Bool(args[0].Resource().(Pollable).Ready()), nil
}

// pollableBlock is wasi:io/poll.[method]pollable.block.
func pollableBlock(c *component.Call, args []component.Value) (component.Value, error) {
	return component.Value{}, block(c, args[0].Resource().(Pollable))
}

// block waits until p is ready, and returns nil; or until the guest must stop, and then returns an error.
func block(w waiter, p Pollable) error {
	_, err := poll(w, []Pollable{p})
	return err
}

// poll waits until at least one of the pollables is ready, and returns the indices of those that are.
func poll(w waiter, pollables []Pollable) ([]uint32, error) {
	switch n := len(pollables); {
	case n == 0:
		return nil, trap("poll of an empty list")
	case n > maxPollables:
		return nil, trap("poll of more than 65536 pollables")
	}
	var wake chan struct{}
	for {
		// A guest that asks in a loop for what is always ready must be stopped too.
		if err := w.Context().Err(); err != nil {
			return nil, err
		}
		if ready := readyOf(pollables); len(ready) > 0 {
			return ready, nil
		}
		if wake == nil {
			wake = make(chan struct{}, 1)
			stop := watch(pollables, wake)
			defer stop()
		}
		if w.Wait(wake) != nil {
			// Not its cause: by this the instance knows that the guest was stopped.
			return nil, w.Context().Err()
		}
	}
}

func readyOf(pollables []Pollable) []uint32 {
	var ready []uint32
	for i, p := range pollables {
		if p.Ready() {
			ready = append(ready, uint32(i))
		}
	}
	return ready
}

func watch(pollables []Pollable, wake chan<- struct{}) (stop func()) {
	notify := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	stops := make([]func(), len(pollables))
	for i, p := range pollables {
		stops[i] = p.Watch(notify)
	}
	return func() {
		for _, s := range stops {
			s()
		}
	}
}
