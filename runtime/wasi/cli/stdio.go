package cli

import (
	"io"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// sharedInput is one of several handles of a stream: the stream stays open when it is dropped.
type sharedInput struct{ wasiio.InputStream }

func (sharedInput) Close() error { return nil }

// sharedOutput likewise.
type sharedOutput struct{ wasiio.OutputStream }

func (sharedOutput) Close() error { return nil }

// stdin is wasi:cli/stdin.get-stdin.
func (g *Guest) stdin() component.Value {
	if g.Stdin == nil {
		return wasiio.NewInput(wasiio.Empty())
	}
	return wasiio.NewInput(sharedInput{g.Stdin})
}

// stdout is wasi:cli/stdout.get-stdout.
func (g *Guest) stdout() component.Value { return output(g.Stdout) }

// stderr is wasi:cli/stderr.get-stderr.
func (g *Guest) stderr() component.Value { return output(g.Stderr) }

func output(s wasiio.OutputStream) component.Value {
	if s == nil {
		return wasiio.NewOutput(wasiio.ToWriter(io.Discard))
	}
	return wasiio.NewOutput(sharedOutput{s})
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
