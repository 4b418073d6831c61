package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// Exit codes, where the guest has none.
const (
	exitFailure = 1
	exitUsage   = 2
	exitTrap    = 134 // 128 + SIGABRT
	exitStopped = 143 // 128 + SIGTERM
	maxExit     = 255
)

// stuck is how long a guest that was stopped may take to notice. One that waits for its input never does; the end of the process
// releases it.
const stuck = 500 * time.Millisecond

// runCommand runs the guest once and returns the exit code.
func runCommand(ctx context.Context, app *wasihttp.App, log *slog.Logger) int {
	stderr := &lastSaid{w: os.Stderr} // the guest's until it has ended
	ended := make(chan error, 1)
	go func() { ended <- app.Command(ctx, os.Stdin, os.Stdout, stderr) }()
	select {
	case err := <-ended:
		return exitCode(err, log, stderr)
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return exitCode(err, log, stderr)
	case <-time.After(stuck):
		return exitStopped
	}
}

// exitCode is how a command that ended with err tells it, once log has the details.
func exitCode(err error, log *slog.Logger, stderr *lastSaid) int {
	var exit *instance.ExitError
	var trap *instance.TrapError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(min(exit.Code, maxExit))
	case errors.Is(err, instance.ErrStopped):
		return exitStopped
	case errors.As(err, &trap):
		log.Error("the guest trapped", "reason", trap.Reason, "stack", trap.Stack)
		control.LastWords(trap.Error() + "\n" + stderr.String() + trap.Stack)
		return exitTrap
	}
	log.Error("the guest could not be run", "error", err)
	control.LastWords("the guest could not be run: " + err.Error())
	return exitFailure
}
