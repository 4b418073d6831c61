package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes. Where a guest ran as a command they are those of its container:
// its own, or what stands for how it ended.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitTimeout = 124 // as timeout(1) has it
	exitTrap    = 134 // 128 + SIGABRT
	exitStopped = 143 // 128 + SIGTERM
)

// usageError is a command line that cannot be meant.
type usageError struct{ error }

// guestExit is how a guest that ran as a command ended; err is what there is to
// say about it, nil where the code says it all.
type guestExit struct {
	code uint32
	err  error
}

func (e guestExit) Error() string { return fmt.Sprintf("the guest exited with code %d", e.code) }

// doMain runs one command line to its end and returns the exit code.
func doMain(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks, the second is not caught and kills.
	defer context.AfterFunc(ctx, stop)()
	signal.Ignore(syscall.SIGPIPE) // it would kill at once, and leave unpacked images behind
	return execute(ctx, args, stdin, outlet{stdout, stop}, stderr)
}

// outlet is standard output. When nobody reads it any more, what is running ends.
type outlet struct {
	io.Writer
	stop func()
}

func (o outlet) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		o.stop()
	}
	return n, err
}

// execute is doMain with a context that takes the place of signals.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	addGenerated(root)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	var guest guestExit
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errRunsNot):
		return exitFailure
	case errors.As(err, &guest):
		if guest.err != nil {
			fmt.Fprintf(stderr, "mayfly: %v\n", guest.err)
		}
		return int(min(guest.code, 255)) // a process has no more; 256 must not become 0
	case errors.As(err, &usage):
		if cmd.Name() == "help" { // whose own help says less than that of mayfly
			cmd = cmd.Root()
		}
		fmt.Fprintf(stderr, "mayfly: %v\n%s --help says more\n", err, cmd.CommandPath())
		return exitUsage
	}
	if !errors.Is(err, syscall.EPIPE) { // head and the like mean no harm
		fmt.Fprintf(stderr, "mayfly: %v\n", err)
	}
	return exitFailure
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mayfly",
		Short: "WebAssembly sidecars, one fresh instance for each request",
		Long: `mayfly packs Wasm sidecars into container images and runs them on this machine.

Exit codes: 0 all well, 1 it failed, or inspect found that it does not run, 2 the
command line is wrong; where a guest ran as a command, the guest's own, 134 if it
trapped, 124 if it was out of time.`,
		Example: `  mayfly serve app.wasm
  mayfly run job.wasm -- input.txt
  mayfly build app.wasm -t hello:v1 -o hello.tar
  mayfly inspect hello.tar`,
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return noCommand(cmd, args[0])
		},
	}
	showVersion := root.Flags().Bool("version", false, "print what mayfly version prints")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if *showVersion {
			return currentVersions().text(cmd.OutOrStdout())
		}
		return cmd.Help()
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newBench(), newBuild(), newInspect(), newRun(), newServe(), newVersion())
	return root
}

// addGenerated adds the commands that cobra makes, help and completion, and has them
// refuse what they do not know instead of answering with general help. The output of
// root must be set already: completion writes where that goes now.
func addGenerated(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if found, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return noCommand(found, rest[0])
				}
				return nil
			}
		case "completion":
			cmd.SuggestionsMinimumDistance = root.SuggestionsMinimumDistance
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return noCommand(cmd, args[0])
				}
				return nil
			}
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range cmd.Commands() {
				shell.Args = noArgs
			}
		}
	}
}

// noCommand is the error that parent has no command of that name.
func noCommand(parent *cobra.Command, name string) error {
	path := strings.TrimPrefix(parent.CommandPath()+" "+name, parent.Root().Name()+" ")
	msg := fmt.Sprintf("there is no command %q", path)
	if s := parent.SuggestionsFor(name); len(s) > 0 {
		msg += fmt.Sprintf(", did you mean %s?", strings.Join(s, " or "))
	}
	return usageError{errors.New(msg)}
}

// usagef is an error of the command line.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
