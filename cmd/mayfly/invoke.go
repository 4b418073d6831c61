package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wave"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// maxListed bounds what a message lists.
const maxListed = 40

// invocation is a call of a function that a component exports.
type invocation struct {
	iface, name string      // as exported; of no interface, ""
	result      *types.Type // nil: none
	args        []component.Value
}

// parseInvocation reads a call, NAME(ARGS) or INTERFACE#NAME(ARGS). A function of an
// interface that no other has is found without its name.
func parseInvocation(d *component.Definition, text string) (invocation, error) {
	var call invocation
	_, args, err := wave.ParseCall(text, func(name string) (*types.Func, error) {
		iface, f := "", name
		if i := strings.LastIndexByte(name, '#'); i >= 0 {
			iface, f = name[:i], name[i+1:]
		}
		from := d.Type().Exports
		if iface != "" {
			found, err := exportedInterface(d, iface, name)
			if err != nil {
				return nil, err
			}
			iface, from = found.Name, found.Instance.Exports
		}
		fn := exportedFunc(from, f)
		if fn == nil && iface == "" {
			iface, fn = onlyInterface(d, f)
		}
		if fn == nil {
			return nil, noFunction(d, name)
		}
		call = invocation{iface: iface, name: f, result: fn.Result}
		return fn, nil
	})
	if err != nil {
		return invocation{}, err
	}
	call.args = args
	return call, nil
}

// exportedFunc finds a function among exports; nil if there is none of that name.
func exportedFunc(exports []types.Named, name string) *types.Func {
	for _, e := range exports {
		if e.Name == name && e.Sort == types.SortFunc {
			return e.Func
		}
	}
	return nil
}

// onlyInterface finds a function that one of the exported interfaces has, and no other:
// then it need not be said which.
func onlyInterface(d *component.Definition, name string) (iface string, fn *types.Func) {
	for _, e := range d.Type().Exports {
		if e.Sort != types.SortInstance {
			continue
		}
		if f := exportedFunc(e.Instance.Exports, name); f != nil {
			if fn != nil {
				return "", nil
			}
			iface, fn = e.Name, f
		}
	}
	return iface, fn
}

// exportedInterface finds an exported interface by its name, by its name without a
// version, or by a version on the same track. function is what was asked for of it.
func exportedInterface(d *component.Definition, name, function string) (types.Named, error) {
	var found []types.Named
	base, _, versioned := strings.Cut(name, "@")
	for _, e := range d.Type().Exports {
		if e.Sort != types.SortInstance {
			continue
		}
		if e.Name == name {
			return e, nil
		}
		if b, _, _ := strings.Cut(e.Name, "@"); b == base {
			found = append(found, e)
		}
	}
	switch {
	case versioned && !d.Exports(name):
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return types.Named{}, fmt.Errorf("the component exports several versions of %s: name one, as in %s", base, found[0].Name)
	}
	return types.Named{}, noFunction(d, function)
}

// noFunction says what there is in place of what was asked for.
func noFunction(d *component.Definition, name string) error {
	var functions []string
	more := 0
	add := func(prefix string, exports []types.Named) {
		for _, e := range exports {
			switch {
			case e.Sort != types.SortFunc:
			case len(functions) == maxListed:
				more++
			default:
				functions = append(functions, prefix+e.Name+": "+wit.Func(e.Func))
			}
		}
	}
	add("", d.Type().Exports)
	for _, e := range d.Type().Exports {
		if e.Sort == types.SortInstance {
			add(e.Name+"#", e.Instance.Exports)
		}
	}
	if len(functions) == 0 {
		return fmt.Errorf("the component exports no function %q, and no other", name)
	}
	text := strings.Join(functions, "\n  ")
	if more > 0 {
		text += fmt.Sprintf("\n  and %d more", more)
	}
	return fmt.Errorf("the component exports no function %q; it exports\n  %s", name, text)
}

// call does what --invoke asks for.
func (o *runOptions) call(cmd *cobra.Command, s *site) (err error) {
	if !component.Is(s.wasm) {
		return fmt.Errorf("%s: --invoke calls what components export, and this is a core module: leave --invoke out to run it, "+
			"or make a component of it with 'wasm-tools component new'", s.file)
	}
	d, err := component.Read(s.wasm)
	if err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	call, err := parseInvocation(d, o.invoke)
	if err != nil {
		return usageError{fmt.Errorf("%s: --invoke: %w", s.file, err)}
	}
	l, err := s.loadLibrary(cmd.Context(), d, cmd.ErrOrStderr())
	if err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	defer func() { err = errors.Join(err, l.Close(context.Background())) }()
	ctx, cancel := o.deadline(cmd.Context())
	defer cancel()
	in, release, err := newInput(ctx, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer release()
	result, err := l.Call(ctx, call.iface, call.name, call.args, in, cmd.OutOrStdout(), cmd.ErrOrStderr())
	if err != nil {
		return s.outcome(ctx, err)
	}
	if call.result == nil {
		return nil
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), wave.Format(call.result, result)); err != nil {
		return err
	}
	if _, ok := result.OK(); call.result.Kind == types.Result && !ok {
		return guestExit{code: exitFailure}
	}
	return nil
}

// loadLibrary compiles the component and opens the guest's files.
func (s *site) loadLibrary(ctx context.Context, d *component.Definition, stderr io.Writer) (*wasihttp.Library, error) {
	if err := s.openFiles(); err != nil {
		return nil, err
	}
	defer notice(stderr, compiling(s.file, s.wasm))()
	return wasihttp.LoadLibrary(ctx, d, s.options(stderr, stderr))
}
