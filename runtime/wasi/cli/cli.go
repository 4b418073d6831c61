// Package cli is the host of wasi:cli: environment, arguments, standard streams, and the end of a program.
//
// What a program has of these is a [Guest], which the state of its instance gives: see [State].
package cli

import (
	_ "embed"
	"errors"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

//go:embed cli.wit
var declarations string

// Guest is what one instance has of wasi:cli. The zero Guest is a program without any of it.
type Guest struct {
	Args []string
	Env  []string // KEY=VALUE
	Cwd  string   // "": not said
	// The standard streams; nil: empty, or discarded. Each stays open when the guest drops a handle of it, for it may ask for another,
	// until Close.
	Stdin          wasiio.InputStream
	Stdout, Stderr wasiio.OutputStream
	// Which of the streams are terminals.
	StdinTerminal, StdoutTerminal, StderrTerminal bool
}

// State is what an instance's state must have for its component to import wasi:cli.
type State interface{ CLI() *Guest }

// CLI makes a Guest a State, so that a state can embed one.
func (g *Guest) CLI() *Guest { return g }

// Close closes the standard streams. The embedder calls it when the instance has ended.
func (g *Guest) Close() error {
	var in, out, stderr error
	if g.Stdin != nil {
		in = g.Stdin.Close()
	}
	if g.Stdout != nil {
		out = g.Stdout.Close()
	}
	if g.Stderr != nil {
		stderr = g.Stderr.Close()
	}
	return errors.Join(in, out, stderr)
}

func guestOf(c *component.Call) *Guest { return c.State().(State).CLI() }

// Package is wasi:cli. The state of instances must be a [State].
func Package() component.Package {
	return component.Package{
		WIT: declarations,
		Interfaces: map[string]component.Interface{
			"environment": {Funcs: map[string]component.HostFunc{
				"get-environment": of((*Guest).environment),
				"get-arguments":   of((*Guest).arguments),
				"initial-cwd":     of((*Guest).initialCwd),
			}},
			"exit": {Funcs: map[string]component.HostFunc{
				"exit":           exit,
				"exit-with-code": exitWithCode,
			}},
			"stdin":           {Funcs: map[string]component.HostFunc{"get-stdin": of((*Guest).stdin)}},
			"stdout":          {Funcs: map[string]component.HostFunc{"get-stdout": of((*Guest).stdout)}},
			"stderr":          {Funcs: map[string]component.HostFunc{"get-stderr": of((*Guest).stderr)}},
			"terminal-input":  {},
			"terminal-output": {},
			"terminal-stdin":  {Funcs: map[string]component.HostFunc{"get-terminal-stdin": of((*Guest).terminalStdin)}},
			"terminal-stdout": {Funcs: map[string]component.HostFunc{"get-terminal-stdout": of((*Guest).terminalStdout)}},
			"terminal-stderr": {Funcs: map[string]component.HostFunc{"get-terminal-stderr": of((*Guest).terminalStderr)}},
		},
	}
}

// of makes a HostFunc of a function of the guest that cannot fail and takes nothing.
func of(f func(*Guest) component.Value) component.HostFunc {
	return func(c *component.Call, _ []component.Value) (component.Value, error) { return f(guestOf(c)), nil }
}

// environment is wasi:cli/environment.get-environment.
func (g *Guest) environment() component.Value {
	pairs := make([]component.Value, len(g.Env))
	for i, kv := range g.Env {
		k, v, _ := strings.Cut(kv, "=")
		pairs[i] = abi.Tuple(abi.String(k), abi.String(v))
	}
	return abi.List(pairs...)
}

// arguments is wasi:cli/environment.get-arguments.
func (g *Guest) arguments() component.Value {
	args := make([]component.Value, len(g.Args))
	for i, a := range g.Args {
		args[i] = abi.String(a)
	}
	return abi.List(args...)
}

// initialCwd is wasi:cli/environment.initial-cwd.
func (g *Guest) initialCwd() component.Value {
	if g.Cwd == "" {
		return abi.None()
	}
	return abi.Some(abi.String(g.Cwd))
}

// exit is wasi:cli/exit.exit.
func exit(_ *component.Call, args []component.Value) (component.Value, error) {
	if _, ok := args[0].OK(); !ok {
		return component.Value{}, &instance.ExitError{Code: 1}
	}
	return component.Value{}, &instance.ExitError{}
}

// exitWithCode is wasi:cli/exit.exit-with-code.
func exitWithCode(_ *component.Call, args []component.Value) (component.Value, error) {
	return component.Value{}, &instance.ExitError{Code: uint32(args[0].U8())}
}
