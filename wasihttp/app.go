package wasihttp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// Options says what to run and how.
type Options struct {
	Wasm     []byte // the module or component; ReadModule reads it from a file
	Sidecar  config.Sidecar
	Args     []string       // of the guest, its name first
	Env      []string       // of the guest, KEY=VALUE; config.GuestEnv makes it
	Files    *guestfs.Files // nil: none; they belong to the caller
	Log      *slog.Logger
	GuestLog io.Writer // takes what guests write to standard error, and components to standard output, whole lines at a time

	// MemoryLimit is what the whole process may use, in bytes; 0 is no limit. App.SetMemoryLimit changes it.
	MemoryLimit uint64
}

// App is a module or component that is loaded and ready to run.
type App struct {
	// Trigger is what starts an instance: what was asked for, or what the file is made for.
	Trigger config.TriggerKind
	// Server answers requests with instances.
	Server *Server
	// MaxInstances is how many of them may be alive at once, as it was when the app was loaded.
	MaxInstances int

	runtime *instance.Runtime
	loaded  loaded
	asked   int    // what the sidecar's settings say of MaxInstances
	own     uint64 // what the process has of memory beside its instances, as far as is known
}

// loaded is a module or a component that is compiled.
type loaded interface {
	application
	// trigger is what starts it where nobody says it.
	trigger() config.TriggerKind
	// footprint is what an instance takes from the start, in bytes.
	footprint() uint64
	// command runs it once, to its end.
	command(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error
	// close frees what it holds beside its code.
	close()
}

// Load compiles and checks a module or component, whichever it is by its first bytes. Its errors wrap those of [instance.Runtime.Load] and
// [component.Load], or [ErrTrigger], and say what the user can do.
func Load(ctx context.Context, o Options) (*App, error) {
	r, err := instance.NewRuntime(ctx, o.limits())
	if err != nil {
		return nil, err
	}
	return newApp(ctx, r, o)
}

func (o *Options) limits() instance.Limits {
	return instance.Limits{Memory: o.Sidecar.Memory, Budget: budget(o.MemoryLimit, 0)}
}

// newApp makes an app with a runtime, which it owns then.
func newApp(ctx context.Context, r *instance.Runtime, o Options) (*App, error) {
	l, err := compile(ctx, r, o)
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	a := &App{Trigger: o.Sidecar.Trigger, runtime: r, loaded: l, asked: o.Sidecar.MaxInstances}
	if a.own = resident(); o.MemoryLimit > 0 { // there are no instances yet; a limit may come when there are
		a.own = settled(a.own)
	}
	a.MaxInstances = a.limit(o.MemoryLimit)
	if a.Trigger == "" {
		a.Trigger = l.trigger()
	}
	a.Server = newServer(settings{Sidecar: o.Sidecar, Log: o.Log, GuestLog: o.GuestLog, MaxInstances: a.MaxInstances, HeapFloor: heapFloor, Trim: r.Trim}, l)
	return a, nil
}

func compile(ctx context.Context, r *instance.Runtime, o Options) (loaded, error) {
	if component.Is(o.Wasm) {
		return loadProgram(ctx, r, o)
	}
	return loadCGI(ctx, r, o)
}

// SetMemoryLimit changes Options.MemoryLimit and returns how many instances may be alive at once now. Those that are alive stay, if they are
// more, and requests that wait for room go on as soon as there is some. Calls must not be concurrent.
//
// Where there was no limit when the app was loaded, what an instance needs of Go's heap has not been measured and is not counted.
func (a *App) SetMemoryLimit(bytes uint64) (instances int) {
	n := a.limit(bytes)
	a.Server.queue.resize(n)
	return n
}

// limit divides what the process may use, and returns how many instances its part for them is enough for.
func (a *App) limit(bytes uint64) (instances int) {
	b := budget(bytes, a.own)
	a.runtime.SetBudget(b)
	return maxInstances(a.asked, b, a.loaded.footprint())
}

// Command runs the module or component once, as a command, until it ends or ctx does. Its error is that of [instance.Instance.Run].
//
// A module that waits in a read of stdin is stopped when that read returns: who cannot make it return should not wait for Command. A
// component is stopped at once.
func (a *App) Command(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	return a.loaded.command(ctx, stdin, stdout, stderr)
}

// Close frees what Load took. Nothing may be running.
func (a *App) Close(ctx context.Context) error {
	a.loaded.close()
	return a.runtime.Close(ctx)
}

const (
	// reserve is what the process needs beside its instances, at the least: itself, connections, the collector's slack.
	reserve = 24 << 20
	// slack is the part of it that is not there yet when a module has been loaded.
	slack = 16 << 20
	// leastBudget is what guests get where the limit leaves them nothing: enough for a small one, so that it may still run.
	leastBudget = 4 << 20
	// overhead is what a connection costs.
	overhead = 64 << 10
	// mostInstances bounds instances where no limit of memory does.
	mostInstances = 10_000
)

// settled is how much memory of its own this process, which has n, has when what loading left behind is gone. Where it left little, that is not
// worth a collection: the reserve covers it.
func settled(n uint64) uint64 {
	if n+slack <= reserve {
		return n
	}
	debug.FreeOSMemory() // a compiler leaves many times what it makes
	return resident()
}

// budget is what a limit leaves to instances in a process that has so much memory already; 0 is no limit.
func budget(limit, resident uint64) uint64 {
	if limit == 0 {
		return 0
	}
	own := max(reserve, resident+slack)
	if limit < own+leastBudget {
		return leastBudget
	}
	return limit - own
}

// maxInstances is how many instances may be alive at once: what was asked for, or what fits into the budget if none grows. Those that
// do are fewer: the budget sees to that.
func maxInstances(asked int, budget, footprint uint64) int {
	switch {
	case asked > 0:
		return asked
	case budget == 0:
		return mostInstances
	}
	return int(min(max(budget/(footprint+overhead), 1), mostInstances))
}
