package component

import (
	"context"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
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

	// WIT has no words for these, but components can import them: core modules, and instances within the instance.
	Modules   map[string][]byte
	Instances map[string]Interface
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
func (c *Call) Context() context.Context { return c.instance.context() }

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
		return ctx.Err() // the outermost call knows the cause, and makes a StopError of both
	}
}

// Host is all that components may import. It is made once, is not changed afterwards, and may serve any number of components.
type Host struct {
	interfaces map[string]*provided // by track
	drops      map[*types.Resource]func(resource any)
}

// provided is an interface of a host.
type provided struct {
	name    string // with its version
	kind    *types.Instance
	funcs   map[string]HostFunc
	modules map[string]*binary.CoreModule
	inner   map[string]*provided
}

// NewHost makes a host of packages, which may use one another's types. It returns an error when a package's text cannot be read, or when
// what it declares and what is implemented are not the same.
func NewHost(packages ...Package) (*Host, error) {
	texts := make([]string, len(packages))
	for i, p := range packages {
		texts[i] = p.WIT
	}
	declared, err := wit.Parse(texts...)
	if err != nil {
		return nil, fmt.Errorf("read the host's interfaces: %w", err)
	}
	h := &Host{interfaces: map[string]*provided{}, drops: map[*types.Resource]func(any){}}
	for i, p := range packages {
		if err := h.addPackage(declared.Packages[i], p); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (h *Host) addPackage(d *wit.Package, p Package) error {
	declared := map[string]bool{}
	for _, i := range d.Interfaces {
		declared[i.Name] = true
		name := d.Name + "/" + i.Name
		if d.Version != "" {
			name += "@" + d.Version
		}
		if err := h.Provide(name, i.Type, p.Interfaces[i.Name]); err != nil {
			return err
		}
	}
	for name := range p.Interfaces {
		if !declared[name] {
			return fmt.Errorf("the host implements %s/%s, which it does not declare", d.Name, name)
		}
	}
	return nil
}

// Provide adds an interface to a host, before anything is loaded for it: for hosts that make types themselves, and for functions of no
// interface, whose name is "". It returns an error when what is declared and what is implemented are not the same.
func (h *Host) Provide(name string, t *types.Instance, i Interface) error {
	if _, ok := h.interfaces[track(name)]; ok {
		return fmt.Errorf("the host provides %s twice", name)
	}
	p, err := h.provided(name, t, i)
	if err != nil {
		return err
	}
	h.interfaces[track(name)] = p
	return nil
}

func (h *Host) provided(name string, t *types.Instance, i Interface) (*provided, error) {
	p := &provided{name: name, kind: t, funcs: i.Funcs, modules: map[string]*binary.CoreModule{}, inner: map[string]*provided{}}
	implemented := 0
	for _, e := range t.Exports {
		switch {
		case e.Sort == types.SortFunc && i.Funcs[e.Name] != nil:
			implemented++
		case e.Sort == types.SortModule && i.Modules[e.Name] != nil:
			p.modules[e.Name] = &binary.CoreModule{Bytes: i.Modules[e.Name]}
			implemented++
		case e.Sort == types.SortInstance:
			inner, err := h.provided(name+" "+e.Name, e.Instance, i.Instances[e.Name])
			if err != nil {
				return nil, err
			}
			p.inner[e.Name] = inner
			implemented++
		case e.Sort != types.SortType:
			return nil, fmt.Errorf("the host declares %s %q and does not implement it", name, e.Name)
		case e.Type.Resource != nil && i.Drop[e.Name] != nil:
			h.drops[e.Type.Resource] = i.Drop[e.Name]
			implemented++
		}
	}
	if n := len(i.Funcs) + len(i.Modules) + len(i.Instances) + len(i.Drop); n != implemented {
		return nil, fmt.Errorf("the host implements %d things of %s, of which it declares %d", n, name, implemented)
	}
	return p, nil
}

// find finds what is provided on the track of a name; nil when nothing is.
func (h *Host) find(name string) *provided { return h.interfaces[track(name)] }
