package component

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/validate"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// preamble is what the file of a component begins with: the magic number, version 13, layer 1.
const preamble = "\x00asm\x0d\x00\x01\x00"

// Is reports whether a file is a component, of this version or another, going by its first bytes. A core module is none.
func Is(wasm []byte) bool {
	const magic, layer = 4, 6 // the end of the one, the begin of the other
	return len(wasm) >= len(preamble) && string(wasm[:magic]) == preamble[:magic] && string(wasm[layer:len(preamble)]) == preamble[layer:]
}

// Definition is a component that has been read and found valid.
type Definition struct {
	binary *binary.Component
	typ    *types.Component
}

// Read reads a component and checks that it is valid. It needs no host and compiles nothing. Its errors wrap ErrNotComponent,
// ErrMalformed, ErrInvalid or ErrUnsupported.
func Read(wasm []byte) (*Definition, error) {
	if !Is(wasm) {
		return nil, fmt.Errorf(`%w: it begins with %q, a component with %q: make one of a core module with 'wasm-tools component new'`,
			ErrNotComponent, wasm[:min(len(wasm), 8)], preamble)
	}
	b, err := binary.Decode(wasm)
	if err != nil {
		return nil, unreadable(err)
	}
	t, err := validate.Validate(b)
	if err != nil {
		return nil, invalid(err)
	}
	return &Definition{binary: b, typ: t}, nil
}

func unreadable(err error) error {
	var e *binary.Error
	switch {
	case errors.Is(err, binary.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.As(err, &e) && e.Limit:
		return fmt.Errorf("%w: %w: the limit is fixed: build the component smaller", ErrMalformed, err)
	}
	return fmt.Errorf("%w: %w: check that the file is whole and that the toolchain makes components of WASI 0.2", ErrMalformed, err)
}

func invalid(err error) error {
	var e *validate.Error
	switch {
	case errors.Is(err, binary.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.As(err, &e) && e.Limit:
		return fmt.Errorf("%w: %w: the limit is fixed: build the component smaller", ErrInvalid, err)
	}
	return fmt.Errorf("%w: %w: build it again with current tools ('wasm-tools validate' is a second opinion)", ErrInvalid, err)
}

// Type is what the component imports and exports.
func (d *Definition) Type() *types.Component { return d.typ }

// Exports reports whether the component exports an interface, "wasi:cli/run@0.2.0", in any version of its track.
func (d *Definition) Exports(iface string) bool {
	want := track(iface)
	for _, e := range d.typ.Exports {
		if track(e.Name) == want {
			return true
		}
	}
	return false
}

// Component is a component that is compiled and linked to a host. It may be used from several goroutines at once.
type Component struct {
	plan      *plan
	group     *instance.Group
	functions []*instance.Function // of plan.coreFuncs; nil: of the host
	memories  []instance.Memory    // of plan.cores
	interiors sync.Pool            // of *interior
	handles   []abi.Handles        // of a snapshot; nil: there is none
}

// Load links a component to a host and compiles it. Its errors wrap ErrImport, or those of [instance.Runtime.LoadGroup].
func Load(ctx context.Context, r *instance.Runtime, d *Definition, h *Host) (*Component, error) {
	p, err := link(d.binary, h)
	if err != nil {
		return nil, err
	}
	p.sayWhatIsUsed()
	group, err := r.LoadGroup(ctx, instance.GroupSpec{Parts: p.parts, Host: p.host})
	if err != nil {
		return nil, err
	}
	for i := range p.parts {
		p.parts[i].Wasm = nil // compiled; not needed any more
	}
	c := &Component{plan: p, group: group}
	if err := c.find(); err != nil {
		return nil, errors.Join(err, group.Close(ctx))
	}
	return c, nil
}

// find finds what the host uses of core instances. Validation has seen that it is there.
func (c *Component) find() error {
	c.functions, c.memories = make([]*instance.Function, len(c.plan.coreFuncs)), make([]instance.Memory, len(c.plan.cores))
	for n, f := range c.plan.coreFuncs {
		if f.part < 0 {
			continue
		}
		var err error
		if c.functions[n], err = c.group.Function(f.part, f.export); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	for n, core := range c.plan.cores {
		if core.memory.part < 0 {
			continue
		}
		var err error
		if c.memories[n], err = c.group.Memory(core.memory.part, core.memory.export); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return nil
}

// Try instantiates the component, with the state that instances are to have, so that what cannot work is found at load; and it measures
// what an instance takes. It is called once, before the first Instantiate.
func (c *Component) Try(ctx context.Context, state any) error {
	i := c.newInstance(state)
	i.ctx = ctx
	defer i.drop()
	err := c.group.Try(ctx, i)
	i.failed = err != nil
	return err
}

// Prove instantiates the component and lets nothing of it run, see [instance.Module.Prove].
func (c *Component) Prove(ctx context.Context) error { return c.group.Prove(ctx) }

// Footprint is what an instance takes of memory from the start, in bytes. It is known when Try has succeeded.
func (c *Component) Footprint() uint64 { return c.group.Footprint() }

// Close frees the compiled code. No instance may be live.
func (c *Component) Close(ctx context.Context) error { return c.group.Close(ctx) }

// Function is an exported function.
type Function struct {
	name string
	fn   *fn
}

// Type is the function's type.
func (f *Function) Type() *types.Func { return f.fn.typ }

// Function finds an exported function: of an interface, in any version of the track of the one that is named, or of none, "". The error
// wraps ErrExport.
func (c *Component) Function(iface, name string) (*Function, error) {
	from := c.plan.exports
	if iface != "" {
		from = from.instance(iface)
		if from == nil {
			return nil, fmt.Errorf("%w: interface %s: the component exports %s", ErrExport, iface, listed(c.plan.exports.names))
		}
	}
	f := from.items[name].fn
	switch {
	case f == nil:
		return nil, fmt.Errorf("%w: function %q: there is %s", ErrExport, name, listed(from.names))
	case f.missing != nil:
		return nil, fmt.Errorf("%w: function %q: %w", ErrExport, name, f.missing)
	}
	return &Function{name: name, fn: f}, nil
}

// listed lists names for a message.
func listed(names []string) string {
	const most = 10
	if len(names) == 0 {
		return "nothing"
	}
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}
