// Command demo shows mayfly at work, step by step: a pod on a real containerd
// whose main container asks its sidecars. Where that cannot be, without root or
// on another system, it shows the same sidecars under mayfly serve.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: go run ./integration/demo

It takes no arguments, and shows mayfly at work, step by step: a pod on a real
containerd whose main container asks its sidecars; without root, the same sidecars
under mayfly serve. 'make demo' builds first what it needs.
`

func main() {
	enter()
	os.Exit(doMain(os.Args[1:], os.Stderr))
}

// parse reads the command line, on which nothing can stand but a wish for help.
func parse(args []string, stderr io.Writer) error {
	set := flag.NewFlagSet("demo", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() { fmt.Fprint(stderr, usage) }
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		err := fmt.Errorf("unknown argument %q: it takes none", set.Arg(0))
		fmt.Fprintln(stderr, "demo:", err)
		return err
	}
	return nil
}

func doMain(args []string, stderr io.Writer) int {
	switch err := parse(args, stderr); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := newScreen(os.Stdout)
	lacking := check()
	show := inPod
	if lacking != nil {
		show = embedded
	}
	if err := show(ctx, s); err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	if lacking != nil {
		s.note("left out: the pod on a real containerd with its main container, and memory against a container (this %v)", lacking)
	}
	return 0
}
