package main

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// loadCompiled makes an app of the code that the shim has found or made for the module; nil where there is none, or it cannot be used. An error is
// one that the module itself would give.
func (e *engine) loadCompiled(o wasihttp.Options) (*wasihttp.App, error) {
	if e.flags.compiled < 0 {
		return nil, nil
	}
	defer syscall.Close(e.flags.compiled) // all of it is mapped or read
	app, err := wasihttp.LoadCompiled(e.stop.ctx, fmt.Sprintf("/proc/self/fd/%d", e.flags.compiled), o)
	switch {
	case err == nil:
		return app, nil
	case e.stop.ctx.Err() != nil, errors.Is(err, wasihttp.ErrTrigger), errors.Is(err, instance.ErrSnapshot):
		return nil, fmt.Errorf("load %s: %w", e.flags.module, err)
	}
	e.log.Warn("the compiled code of the module cannot be used: it is compiled again", "module", e.flags.module, "error", err)
	return nil, nil
}
