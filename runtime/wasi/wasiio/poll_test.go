package wasiio

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// event is a pollable that becomes ready when told.
type event struct {
	Signal
	ready bool
}

func (e *event) Ready() bool { return e.ready }

// ends returns what stops the guest after an error.
func ends(t *testing.T, err error) *abi.Trap {
	t.Helper()
	var f fatal
	var trap *abi.Trap
	if !errors.As(err, &f) || !errors.As(f.error, &trap) {
		t.Fatalf("the error is %v, want one that traps", err)
	}
	return trap
}

func TestPoll(t *testing.T) {
	t.Run("an empty list traps", func(t *testing.T) {
		_, err := poll(newGuest(t), nil)
		ends(t, err)
	})
	t.Run("a list without bound traps", func(t *testing.T) {
		_, err := poll(newGuest(t), make([]Pollable, maxPollables+1))
		ends(t, err)
	})
	t.Run("returns the indices of all that are ready", func(t *testing.T) {
		got, err := poll(newGuest(t), []Pollable{&event{}, AlwaysReady{}, &event{}, AlwaysReady{}})
		if err != nil || !slices.Equal(got, []uint32{1, 3}) {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("wakes for one of several, and leaves no watch behind", func(t *testing.T) {
		out := newPipe()
		if err := out.Write(make([]byte, pipeCapacity)); err != nil {
			t.Fatal(err)
		}
		never := &event{}
		done := make(chan []uint32)
		go func() {
			got, _ := poll(newGuest(t), []Pollable{never, out, never})
			done <- got
		}()
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if got := <-done; !slices.Equal(got, []uint32{1}) {
			t.Errorf("got %v", got)
		}
		if len(never.watchers) != 0 || len(out.watchers) != 0 {
			t.Error("a watch was left behind")
		}
	})
	t.Run("ends when the guest must stop", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		never := &event{}
		go func() { done <- block(guest{ctx}, never) }()
		cancel(errors.New("deadline"))
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if len(never.watchers) != 0 {
			t.Error("a watch was left behind")
		}
	})
	t.Run("stops a guest that asks again and again for what is ready", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := block(guest{ctx}, AlwaysReady{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
