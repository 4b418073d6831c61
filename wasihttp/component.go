package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/wasi"
	"github.com/mayfly-run/mayfly/runtime/wasi/filesystem"
	"github.com/mayfly-run/mayfly/runtime/wasi/sockets"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// What a component exports that can be started, in any version of the track.
const (
	incomingHandler = "wasi:http/incoming-handler@0.2.0"
	cliRun          = "wasi:cli/run@0.2.0"
)

// ErrTrigger is wrapped by what [Load] returns for a component that has no function for what is to start it.
var ErrTrigger = errors.New("the component cannot be started")

// program is a component, and what its instances share.
type program struct {
	component *component.Component
	handle    *component.Function // nil: it answers no requests
	run       *component.Function // nil: it is no command
	exports   string              // what there is, for a message
	client    *client
	options   Options
}

var (
	_ loaded      = (*program)(nil)
	_ application = (*program)(nil)
)

// loadProgram loads a component that something is to start.
func loadProgram(ctx context.Context, r *instance.Runtime, o Options) (*program, error) {
	d, err := component.Read(o.Wasm)
	if err != nil {
		return nil, err
	}
	if o.Sidecar.Snapshot {
		r.PrepareSnapshots()
	}
	p, err := link(ctx, r, d, o)
	if err != nil {
		return nil, err
	}
	err = p.enter(o.Sidecar.Trigger)
	if err == nil {
		err = p.try(ctx)
	}
	if err == nil && o.Sidecar.Snapshot {
		err = p.snapshot(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.component.Close(ctx))
	}
	return p, nil
}

// enter finds what a trigger calls.
func (p *program) enter(trigger config.TriggerKind) (err error) {
	p.handle, err = entry(p.component, incomingHandler, "handle", isHandler,
		"func(request: incoming-request, response-out: response-outparam)")
	if err == nil {
		p.run, err = entry(p.component, cliRun, "run", isRun, "func() -> result")
	}
	if err != nil {
		return err
	}
	return p.check(trigger)
}

// link compiles a component and links it to its host.
func link(ctx context.Context, r *instance.Runtime, d *component.Definition, o Options) (*program, error) {
	policy, err := outbound.Parse(o.Sidecar.AllowedOutbound)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", outbound.Variable, err)
	}
	policy.LogTo(o.Log)
	p := &program{client: newClient(policy), exports: listed(d), options: o}
	p.options.Wasm = nil // compiled; not needed any more
	if p.component, err = loadComponent(ctx, r, d); err != nil {
		return nil, err
	}
	return p, nil
}

// listed lists what a component exports.
func listed(d *component.Definition) string {
	const most = 10
	var names []string
	for _, e := range d.Type().Exports {
		names = append(names, e.Name)
	}
	switch {
	case len(names) == 0:
		return "nothing"
	case len(names) > most:
		names = append(names[:most], "more")
	}
	return strings.Join(names, ", ")
}

// try finds what cannot work before anybody asks for it.
func (p *program) try(ctx context.Context) error {
	s := &programState{}
	s.begin(p, nil)
	defer s.close()
	return p.component.Try(ctx, s)
}

// snapshot keeps the state after initialisation for all instances. What a guest writes meanwhile is logged now, for it does not write it again.
func (p *program) snapshot(ctx context.Context) error {
	log := guestLog{w: p.options.GuestLog, json: p.options.Sidecar.JSONLog}
	var stdout, stderr guestStream
	stdout.begin(&log, "")
	stderr.begin(&log, "")
	s := &programState{}
	s.begin(p, nil)
	defer s.close()
	s.Command.Stdout, s.Command.Stderr = &stdout, &stderr
	if err := p.component.Snapshot(ctx, s); err != nil {
		return fmt.Errorf("MAYFLY_SNAPSHOT=init: %w: leave MAYFLY_SNAPSHOT or --snapshot out", err)
	}
	return nil
}

// check reports whether the component has what a trigger, "" for any, calls.
func (p *program) check(trigger config.TriggerKind) error {
	switch {
	case p.handle == nil && p.run == nil:
		return fmt.Errorf("%w: it exports %s, and neither wasi:http/incoming-handler@0.2 nor wasi:cli/run@0.2: build it for the world wasi:http/proxy, or wasi:cli/command to run as a command; mayfly run --invoke calls what it exports",
			ErrTrigger, p.exports)
	case trigger == config.TriggerHTTP && p.handle == nil:
		return fmt.Errorf("%w by requests: it does not export wasi:http/incoming-handler@0.2, but it is a command: set MAYFLY_TRIGGER=command", ErrTrigger)
	case trigger == config.TriggerCommand && p.run == nil:
		return fmt.Errorf("%w as a command: it does not export wasi:cli/run@0.2, but it answers requests: set MAYFLY_TRIGGER=http", ErrTrigger)
	}
	return nil
}

// trigger implements loaded.
func (p *program) trigger() config.TriggerKind {
	if p.handle != nil {
		return config.TriggerHTTP
	}
	return config.TriggerCommand
}

// footprint counts what bodies that nobody takes would fill.
func (p *program) footprint() uint64 { return p.component.Footprint() + 2*outletSize + mostAhead }

func (p *program) close() { p.client.close() }

// programState is the state of one instance. What most guests never ask for is made when they do.
type programState struct {
	wasi.Guest
	guest   guest
	program *program
}

func (s *programState) http() *guest { return &s.guest }

// Filesystem implements filesystem.State.
func (s *programState) Filesystem() *filesystem.Guest {
	if s.Files == nil {
		s.Files = filesystem.NewGuest(s.program.options.Files)
	}
	return s.Files
}

// Sockets implements sockets.State.
func (s *programState) Sockets() *sockets.Guest {
	if s.Network == nil {
		s.Network = sockets.NewGuest(s.program.client.policy)
	}
	return s.Network
}

// begin makes s the state of a new instance. r is nil where it answers no request.
func (s *programState) begin(p *program, r *reply) {
	s.program = p
	s.Command.Args, s.Command.Env = p.options.Args, p.options.Env
	s.guest = guest{client: p.client, reply: r}
}

// close ends what an instance has left under way.
func (s *programState) close() {
	s.guest.close()
	_ = s.Guest.Close()
}

func (p *program) outlives() bool { return true }

// answer implements application. The guest has a goroutine of its own: it may go on when its answer is over, and the client has
// that as soon as it is.
func (p *program) answer(x *exchange) (said, error) {
	if !utf8.ValidString(x.r.RequestURI) { // a string to the guest; it would be asked for another path
		return said{}, errNoText
	}
	h := &handling{program: p}
	h.reply.begin(x)
	if x.in != &x.none {
		x.in.wait = h.reply.waits
	}
	go h.live() // x.done tells that it has ended, or deliver waits for it
	return h.reply.deliver()
}

// handling is an instance that answers a request, and all that it has.
type handling struct {
	program  *program
	reply    reply
	request  incomingRequest
	state    programState
	out, err guestStream
	instance *component.Instance
}

var _ running = (*handling)(nil)

// live runs it from its place in the queue to its end.
func (h *handling) live() {
	deepen(false)
	h.reply.end(h.reply.x.inTurn(h.serve))
}

func (h *handling) serve(until time.Time) (err error) {
	defer recovered(&err)
	x, s := h.reply.x, &h.state
	h.out.begin(&x.server.guests, x.id)
	h.err.begin(&x.server.guests, x.id)
	s.begin(h.program, &h.reply)
	defer s.close()
	s.Command.Stdout, s.Command.Stderr = &h.out, &h.err
	return x.live(until, &h.reply.timing, h)
}

// Start implements running.
func (h *handling) Start(ctx context.Context) (err error) {
	h.instance, err = h.program.component.Instantiate(ctx, &h.state)
	return err
}

// Run implements running.
func (h *handling) Run(ctx context.Context) error {
	h.request.x = h.reply.x
	_, err := h.instance.Call(ctx, h.program.handle, abi.Resource(&h.request), abi.Resource(&h.reply))
	return ended(err)
}

// Close implements running.
func (h *handling) Close() error { return h.instance.Close() }

// ended is how a guest ended, nil if it ended itself and says that all went well.
func ended(err error) error {
	if err == nil {
		return nil
	}
	var exit *instance.ExitError
	if errors.As(err, &exit) && exit.Code == 0 {
		return nil
	}
	return err
}

// command runs the component once, as a command.
func (p *program) command(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	result, err := p.call(ctx, p.run, nil, stdin, stdout, stderr)
	if err != nil {
		return ended(err)
	}
	if _, ok := result.OK(); !ok {
		return &instance.ExitError{Code: 1}
	}
	return nil
}

// call calls a function of a fresh instance that answers no request.
func (p *program) call(ctx context.Context, f *component.Function, args []component.Value, stdin io.Reader, stdout, stderr io.Writer) (component.Value, error) {
	s := &programState{}
	s.begin(p, nil)
	defer s.close()
	in := newStdin(stdin)
	s.Command.Stdin = wasiio.FromReader(in, in.stop)
	s.Command.Stdout, s.Command.Stderr = wasiio.ToWriter(stdout), wasiio.ToWriter(stderr)
	i, err := p.component.Instantiate(ctx, s)
	if err != nil {
		return component.Value{}, err
	}
	result, err := i.Call(ctx, f, args...)
	return result, errors.Join(err, i.Close())
}
