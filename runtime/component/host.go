package component

import (
	"context"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// Value is a value of a component type: see [abi.Value].
type Value = abi.Value

// HostFunc is a function that a host provides to components. The arguments fit the function's type, what it returns must fit too. A
// method's first argument is its resource; an argument of type own belongs to the function from then on, and the destructor of its
// resource is not called.
//
// args is used again after the call: the values in it may be kept, the slice may not.
//
// An error is not a result of the function's type: it ends the guest, and [Instance.Call] returns it.
type HostFunc func(c *Call, args []Value) (Value, error)

// Interface is what a host provides of one WIT interface.
type Interface struct {
	Funcs map[string]HostFunc           // by name as WIT's encoding has it: "poll", "[method]pollable.ready", "[static]fields.from-list"
	Drop  map[string]func(resource any) // by resource name: called when a guest drops one that it owns, or has left one when it ends
}

// Package is what a host provides of one WIT package.
type Package struct {
	WIT        string               // the package's text: "package wasi:io@0.2.12; interface poll { … }"
	Interfaces map[string]Interface // by name in the WIT: "poll"
}

// Call is one call of a [HostFunc]. It is valid until that returns.
type Call struct {
	instance *Instance
}

// State is what the caller of [Component.Instantiate] gave for the instance that calls.
func (c *Call) State() any { return c.instance.state }

// Context ends when the guest must stop.
func (c *Call) Context() context.Context { return c.instance.group.Context() }

// Block is to be called before the function waits for anything: guests that compute take turns, and one that waits must not keep
// its own.
func (c *Call) Block() { c.instance.group.GiveTurn() }

// Wait waits until ready is closed or receives, and returns nil; or until the guest must stop, and then returns an error to return.
func (c *Call) Wait(ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	default:
	}
	c.Block()
	ctx := c.Context()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
