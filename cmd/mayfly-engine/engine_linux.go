package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/cmd/mayfly-engine/tool"
	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/logfmt"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// Why a guest that answers requests does not get any.
var (
	errNoListener  = errors.New("MAYFLY_TRIGGER=http and no listening socket: this is mayfly's fault, please report it")
	errNobodyAsked = errors.New("the component answers requests, and there is no listening socket: set MAYFLY_TRIGGER=http")
)

// engine is one run of the program, from the link to the holder on.
type engine struct {
	flags   flags
	sidecar config.Sidecar
	stop    *stop
	link    *link
	slow    bool // loading took its time, and the holder looks after who came meanwhile
	memory  *memory
	stderr  *logfmt.Buffered // of the log and of guests that answer requests
	log     *slog.Logger
	steps   steps
}

func doMain(args []string) int {
	if len(args) > 0 && args[0] == "compile" {
		return doCompile(args[1:], os.Stderr)
	}
	if len(args) > 0 && args[0] == "tool" {
		return tool.Main(context.Background(), args[1:])
	}
	f, err := parseFlags(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mayfly-engine:", err)
		return exitUsage
	}
	// Whoever reads our output may go before we do; that is an error of a write, not our end.
	signal.Ignore(syscall.SIGPIPE)
	sidecar, err := config.Parse(os.Environ())
	form := logfmt.Options{JSON: sidecar.JSONLog, Debug: sidecar.Debug, Colour: logfmt.Colour(os.Stderr)}
	stderr := logfmt.NewBuffered(os.Stderr, form)
	defer stderr.Close() // the last of all: the last lines are those that tell why
	s := newStop()
	defer s.close()
	m := openMemory(f.memoryLimit)
	defer m.close()
	l := newLink(f.status, s.holderGone, m.look)
	defer l.close()

	e := &engine{flags: f, sidecar: sidecar, stop: s, link: l, memory: m, stderr: stderr, log: logfmt.New(stderr, form)}
	if err != nil {
		return e.refuse(err)
	}
	for _, sentence := range slices.Concat(config.Unknown(os.Environ()), f.warnings) {
		e.log.Warn(sentence)
	}
	return e.run()
}

// refuse says why there will be no sidecar.
func (e *engine) refuse(err error) int {
	e.log.Error("the sidecar cannot start", "error", err)
	e.link.refuse(err)
	return exitFailure
}

func (e *engine) run() int {
	begin := time.Now()
	e.steps.done("process")
	ls, conns, err := inherit(e.flags)
	if err != nil {
		return e.refuse(err)
	}
	if e.sidecar.Trigger == config.TriggerHTTP && len(ls) == 0 {
		return e.refuse(errNoListener)
	}
	e.steps.done("sockets")
	slow := e.expectSlow()
	app, err := e.load()
	e.slow = slow.over()
	if err != nil {
		if e.stop.ctx.Err() != nil {
			return 0 // stopped before it began
		}
		return e.refuse(err)
	}

	e.steps.done("app")
	e.memory.follow(app, e.log)
	took := time.Since(begin).Round(time.Millisecond)
	if app.Trigger != config.TriggerHTTP {
		for _, l := range ls {
			_ = l.Close() // somebody else in the pod may want the port
		}
		return e.command(app, took)
	}
	if len(ls) == 0 {
		return e.refuse(errNobodyAsked)
	}
	return e.serve(app, ls, conns, took)
}

// load makes an app of the module.
func (e *engine) load() (*wasihttp.App, error) {
	files, err := guestfs.OpenContainer()
	if err != nil {
		return nil, err
	}
	o := wasihttp.Options{
		Sidecar: e.sidecar, Args: e.flags.args, Env: config.GuestEnv(os.Environ()), Files: files,
		Log: e.log, GuestLog: e.stderr, MemoryLimit: e.memory.limit,
	}
	if app, err := e.loadCompiled(o); app != nil || err != nil {
		return app, err
	}
	if o.Wasm, err = wasihttp.ReadModule(e.flags.module); err != nil {
		return nil, err
	}
	app, err := wasihttp.Load(e.stop.ctx, o)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", e.flags.module, err)
	}
	return app, nil
}

// command runs the guest once.
func (e *engine) command(app *wasihttp.App, took time.Duration) int {
	e.log.Debug("loaded", "module", e.flags.module, "trigger", config.TriggerCommand, "in", took)
	if err := errors.Join(e.link.send(control.Final), e.link.send(control.Ready)); err != nil {
		return exitFailure
	}
	return runCommand(e.stop.ctx, app, e.log)
}

// serve answers requests until there are none for long, or a signal comes.
func (e *engine) serve(app *wasihttp.App, ls []net.Listener, conns []net.Conn, took time.Duration) int {
	e.log.Info("ready", "module", e.flags.module, "listen", e.addresses(ls), "instances", app.MaxInstances, "in", took)
	e.link.server.Store(app.Server)
	if err := e.link.send(control.Ready); err != nil {
		return exitFailure
	}
	if e.slow {
		conns = append(conns, e.link.take(e.stop.ctx)...)
	}
	e.steps.done("ready")
	e.steps.logTo(e.log)
	unhook := context.AfterFunc(e.stop.hurry, app.Server.Cut)
	defer unhook()
	err := app.Server.Serve(e.stop.ctx, ls, conns)
	switch {
	case errors.Is(err, wasihttp.ErrIdle):
		e.log.Info("idle: leaving until the next request", "for", e.sidecar.IdleTimeout)
		_ = e.link.send(control.Idle)
	case err != nil:
		e.log.Error("cannot accept connections", "error", err)
		return exitFailure
	case context.Cause(e.stop.ctx) == errHolderGone:
		return exitFailure
	}
	// Not Close: the end of the process is faster.
	return 0
}

// addresses are those of ls, for a person to read. The shim binds a unix socket by its bare name, so its path is that of the
// configuration.
func (e *engine) addresses(ls []net.Listener) string {
	var all []string
	for _, l := range ls {
		if l.Addr().Network() == "unix" {
			all = append(all, e.sidecar.Listen[0].String())
			continue
		}
		all = append(all, l.Addr().String())
	}
	return strings.Join(all, ",")
}
