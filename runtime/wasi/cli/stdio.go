package cli

import (
	"io"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// input is one of several handles of standard input: the stream stays open when it is dropped.
type input struct{ wasiio.InputStream }

func (input) Close() error { return nil }

// output likewise, of standard output or of standard error.
type output struct {
	wasiio.OutputStream
	get func(*Guest) component.Value
}

func (output) Close() error { return nil }

// discarded is an output that is nobody's.
type discarded struct {
	wasiio.OutputStream
	get func(*Guest) component.Value
}

// Instances that begin with a snapshot may have asked for their streams before: each gets its own.
var (
	_ wasiio.Renewable = input{}
	_ wasiio.Renewable = output{}
	_ wasiio.Renewable = discarded{}
)

func (input) Renew(state any) component.Value       { return state.(State).CLI().stdin() }
func (o output) Renew(state any) component.Value    { return o.get(state.(State).CLI()) }
func (d discarded) Renew(state any) component.Value { return d.get(state.(State).CLI()) }

// stdin is wasi:cli/stdin.get-stdin.
func (g *Guest) stdin() component.Value {
	if g.Stdin == nil {
		return wasiio.NewInput(input{wasiio.Empty()})
	}
	return wasiio.NewInput(input{g.Stdin})
}

// stdout is wasi:cli/stdout.get-stdout.
func (g *Guest) stdout() component.Value { return handle(g.Stdout, (*Guest).stdout) }

// stderr is wasi:cli/stderr.get-stderr.
func (g *Guest) stderr() component.Value { return handle(g.Stderr, (*Guest).stderr) }

func handle(s wasiio.OutputStream, get func(*Guest) component.Value) component.Value {
	if s == nil {
		return wasiio.NewOutput(discarded{wasiio.ToWriter(io.Discard), get})
	}
	return wasiio.NewOutput(output{s, get})
}

// terminal is the resources terminal-input and terminal-output, of which a guest can only know that they are there.
type terminal struct{ _ byte }

func terminalOf(is bool) component.Value {
	if !is {
		return abi.None()
	}
	return abi.Some(abi.Resource(&terminal{}))
}

// terminalStdin is wasi:cli/terminal-stdin.get-terminal-stdin.
func (g *Guest) terminalStdin() component.Value { return terminalOf(g.StdinTerminal) }

// terminalStdout is wasi:cli/terminal-stdout.get-terminal-stdout.
func (g *Guest) terminalStdout() component.Value { return terminalOf(g.StdoutTerminal) }

// terminalStderr is wasi:cli/terminal-stderr.get-terminal-stderr.
func (g *Guest) terminalStderr() component.Value { return terminalOf(g.StderrTerminal) }
