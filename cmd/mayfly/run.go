package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// errTimeout ends a guest that runs longer than --timeout.
var errTimeout = errors.New("it ran longer than --timeout allows: give it more, or find out what it waits for")

type runOptions struct {
	options
	timeout time.Duration // of the run; 0: none
	invoke  string
}

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run FILE.wasm|IMAGE.tar [-- ARGS]",
		Short: "Run a command once, or call a function of a component",
		Long: `Run a command once, with this terminal's input and output: a component that
exports wasi:cli/run, or a core module for WASI 0.1. The exit code is the guest's.

With --invoke any function that a component exports is called instead. Its arguments
are written in WAVE, and so is the result, on stdout:

  add(1, 2)                             a function of the component itself
  wasi:cli/run#run()                    one of an interface that it exports
  acme:shop/cart@1.2.0#put({sku: "a-1", count: some(2)}, [red, blue])

An interface without its version is found in the one that the component exports; with
one, any version that is compatible with it is. Strings are "text", characters 'c',
lists [1, 2], tuples (1, "a"), records {name: value}, flags {read, write}, cases and
labels north or days(3), options some(1) or none, results ok(1) or err("no"). A name
that the component does not have is answered with those that it has, and their types.
The exit code is 1 where the function returned an error of its own.

A guest sees the variables of its image and those given with --env, nothing of this
shell, and the directories given with --dir, to be written too unless :ro is added.
Quote what --invoke gets: a shell reads parentheses itself.

What a command is compiled to is kept for the next time, in the user's cache directory
(mayfly/compiled), up to 2 GiB; --no-cache does without.`,
		Example: `  mayfly run job.wasm -- --verbose input.txt
  mayfly run job.wasm --env GREETING=hi --dir ./data:/data < input.txt
  mayfly run job.wasm --no-cache
  mayfly run calculator.wasm --invoke 'add(1, 2)'
  mayfly run job.wasm --invoke 'wasi:cli/run#run()' --timeout 5s`,
		ValidArgsFunction: completeFiles,
		Args: func(cmd *cobra.Command, args []string) error {
			switch files, _ := splitDash(cmd, args); {
			case len(files) == 0:
				return usagef("run needs a file: a component, a module or an image")
			case len(files) > 1:
				return usagef("run takes one file, and there is %q too: what is the guest's stands behind --", files[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			files, guestArgs := splitDash(cmd, args)
			return o.run(cmd, files[0], guestArgs)
		},
	}
	f := cmd.Flags()
	o.guestFlags(f)
	f.DurationVar(&o.timeout, "timeout", 0, "`duration` that the guest may run (default: any)")
	f.StringVar(&o.invoke, "invoke", "", "`call` of an exported function, as in 'add(1, 2)'")
	completeWith(cmd, "invoke")
	return cmd
}

func (o *runOptions) run(cmd *cobra.Command, file string, args []string) (err error) {
	if o.timeout < 0 || o.timeout == 0 && cmd.Flags().Changed("timeout") {
		return usagef("--timeout %s: want a duration above 0, as in --timeout 30s", o.timeout)
	}
	opener, err := o.opener(cmd, args)
	if err != nil {
		return err
	}
	// Whatever starts the guest elsewhere, here it runs as a command. --timeout is of that, MAYFLY_TIMEOUT of a request.
	opener.trigger = string(config.TriggerCommand)
	opener.changed = func(flag string) bool { return flag == "trigger" || flag == "memory" && cmd.Flags().Changed(flag) }
	s, err := opener.open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if cmd.Flags().Changed("invoke") {
		return o.call(cmd, s)
	}
	if err := s.load(cmd.Context(), cmd.ErrOrStderr(), cmd.ErrOrStderr()); err != nil {
		if errors.Is(err, wasihttp.ErrTrigger) {
			return s.noCommand()
		}
		return err
	}
	ctx, cancel := o.deadline(cmd.Context())
	defer cancel()
	return s.runCommand(ctx, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
}

// noCommand is the error that the component of s has nothing to run.
func (s *site) noCommand() error {
	d, err := component.Read(s.wasm)
	if err == nil && d.Exports(incomingHandler+"@0.2.0") {
		return fmt.Errorf("%s: it is no command, for it does not export %s@0.2; it answers requests: use 'mayfly serve'", s.file, cliRun)
	}
	return fmt.Errorf("%s: it is no command, for it does not export %s@0.2: call what it exports with --invoke, or build it for the world wasi:cli/command",
		s.file, cliRun)
}

// deadline bounds how long a guest runs.
func (o *runOptions) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, o.timeout, errTimeout)
}
