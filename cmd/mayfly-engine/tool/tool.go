// Package tool is what kubectl exec runs in a sidecar's container as mayfly: probe, top and invoke. The shim makes it a call of
// mayfly-engine tool, which is in each such container; no image has it.
//
// It is not mayfly's command line, which is for laptops and knows no containers. A tool asks the holder how things are, or is a client of the
// sidecar's like any other, and reads what the container shows of itself. It has the container's user, limits and environment.
package tool

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/mayfly-run/mayfly/internal/control"
)

// Exit codes.
const (
	exitGood  = 0
	exitBad   = 1 // the sidecar is not ready, answers badly, or nobody could say
	exitUsage = 2
)

const help = `mayfly looks after this sidecar.

  mayfly probe                 whether it is ready: a sentence, and the exit code 0 or 1. It wakes nobody; for an exec probe
  mayfly top                   what it does and what it takes; -o json, --watch
  mayfly invoke PATH           asks it, as a client in the pod would
      -X METHOD                the method; POST where there is a body, else GET
      -H 'NAME: VALUE'         a header field; more than once for more
      -d BODY                  a body; @FILE is read, @- is standard input
      -v                       the answer's header, too

Run as: kubectl exec POD -c SIDECAR -- mayfly top
`

// tool is one run.
type tool struct {
	env    []string // of the container
	socket string   // of the holder
	proc   string   // where processes are
	cgroup string   // where the container's own cgroup is
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// Main runs the tool that args name and returns the exit code.
func Main(ctx context.Context, args []string) int {
	t := &tool{
		env: os.Environ(), socket: control.SocketPath, proc: "/proc", cgroup: "/sys/fs/cgroup",
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	}
	return t.run(ctx, args)
}

func (t *tool) run(ctx context.Context, args []string) int {
	name := "--help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	code, err := exitGood, error(nil)
	switch name {
	case "probe":
		code, err = t.probe(args)
	case "top":
		err = t.top(ctx, args)
	case "invoke":
		code, err = t.invoke(ctx, args)
	case "help", "-h", "-help", "--help":
		_, err = io.WriteString(t.stdout, help)
	default:
		err = usagef("there is no %.40q here; mayfly --help says what there is", name)
	}
	var usage *usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(t.stdout, help)
		return exitGood
	case errors.As(err, &usage):
		fmt.Fprintln(t.stderr, "mayfly:", err)
		return exitUsage
	case err != nil:
		fmt.Fprintln(t.stderr, "mayfly:", err)
		return exitBad
	}
	return code
}

// usageError is a mistake in the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// parse reads flags, which may stand behind other arguments, and returns those.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	f.SetOutput(io.Discard)
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, usagef("%s: %v; mayfly --help says what there is", f.Name(), err)
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// probe says whether the sidecar is ready.
func (t *tool) probe(args []string) (int, error) {
	if len(args) > 0 {
		return 0, usagef("probe takes no arguments")
	}
	s, err := control.Ask(t.socket)
	if err != nil {
		return 0, fmt.Errorf("probe: %w", err)
	}
	fmt.Fprintln(t.stdout, s.Sentence)
	if !s.Ready {
		return exitBad, nil
	}
	return exitGood, nil
}
