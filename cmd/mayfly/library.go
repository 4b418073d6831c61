package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/logfmt"
	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/wasi"
	"github.com/mayfly-run/mayfly/runtime/wasi/cli"
	"github.com/mayfly-run/mayfly/runtime/wasi/filesystem"
	"github.com/mayfly-run/mayfly/runtime/wasi/sockets"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// library is a component that is there to be called, whether or not it is made for a
// trigger.
type library struct {
	site      *site
	runtime   *instance.Runtime
	component *component.Component
	policy    *outbound.Policy
}

// loadLibrary compiles the component and opens the guest's files.
func (s *site) loadLibrary(ctx context.Context, d *component.Definition, stderr io.Writer) (*library, error) {
	if err := s.openFiles(); err != nil {
		return nil, err
	}
	defer notice(stderr, compiling(s.file, s.wasm))()
	policy, err := outbound.Parse(s.sidecar.AllowedOutbound)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", outbound.Variable, err)
	}
	policy.LogTo(logfmt.New(stderr, s.form(stderr)))
	h, err := component.NewHost(wasi.Packages()...)
	if err != nil {
		return nil, err
	}
	l := &library{site: s, policy: policy}
	if l.runtime, err = instance.NewRuntime(ctx, instance.Limits{Memory: s.sidecar.Memory}); err != nil {
		return nil, err
	}
	if l.component, err = component.Load(ctx, l.runtime, d, h); err == nil {
		g := l.guest()
		err = errors.Join(l.component.Try(ctx, g), g.Close())
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// guest is what an instance has of WASI.
func (l *library) guest() *wasi.Guest {
	return &wasi.Guest{
		Command: cli.Guest{Args: l.site.command(l.site.args), Env: config.GuestEnv(l.site.guestEnv)},
		Files:   filesystem.NewGuest(l.site.files),
		Network: sockets.NewGuest(l.policy),
	}
}

// call calls a function of a fresh instance.
func (l *library) call(ctx context.Context, call invocation, stdin io.Reader, stdout, stderr io.Writer) (result component.Value, err error) {
	f, err := l.component.Function(call.iface, call.name)
	if err != nil {
		return component.Value{}, err
	}
	in, release, err := newInput(ctx, stdin)
	if err != nil {
		return component.Value{}, err
	}
	defer release()
	g := l.guest()
	defer func() { err = errors.Join(err, g.Close()) }()
	g.Command.Stdin = wasiio.FromReader(in, func() {
		if i, ok := in.(*input); ok {
			i.stop()
		}
	})
	g.Command.Stdout, g.Command.Stderr = wasiio.ToWriter(stdout), wasiio.ToWriter(stderr)
	i, err := l.component.Instantiate(ctx, g)
	if err != nil {
		return component.Value{}, err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	return i.Call(ctx, f, call.args...)
}

// close frees the code.
func (l *library) close() error { return l.runtime.Close(context.Background()) }
