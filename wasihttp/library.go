package wasihttp

import (
	"context"
	"errors"
	"io"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// Library is a component that is there to be called, whether or not anything would start it. It has all that a command has.
type Library struct {
	program *program
	runtime *instance.Runtime
}

// LoadLibrary compiles a component. Of the options it needs neither Wasm nor GuestLog. Its errors are those of [component.Load].
func LoadLibrary(ctx context.Context, d *component.Definition, o Options) (*Library, error) {
	r, err := instance.NewRuntime(ctx, instance.Limits{Memory: o.Sidecar.Memory, Budget: budget(o.MemoryLimit, 0)})
	if err != nil {
		return nil, err
	}
	p, err := link(ctx, r, d, o)
	if err == nil {
		err = p.try(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return &Library{program: p, runtime: r}, nil
}

// Call calls a function of a fresh instance, as [component.Component.Function] names it. Its error is that of [component.Instance.Call].
func (l *Library) Call(ctx context.Context, iface, name string, args []component.Value, stdin io.Reader, stdout, stderr io.Writer) (component.Value, error) {
	f, err := l.program.component.Function(iface, name)
	if err != nil {
		return component.Value{}, err
	}
	return l.program.call(ctx, f, args, stdin, stdout, stderr)
}

// Close frees what LoadLibrary took. Nothing may be running.
func (l *Library) Close(ctx context.Context) error {
	l.program.close()
	return l.runtime.Close(ctx)
}
