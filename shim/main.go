//go:build linux

package shim

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"google.golang.org/protobuf/proto"

	"github.com/mayfly-run/mayfly/internal/version"
	"github.com/mayfly-run/mayfly/shim/lockdown"
)

// runtimeName is what containerd's configuration calls us.
const runtimeName = "io.containerd.mayfly.v1"

// flags are those that every containerd since 1.6 passes.
type flags struct {
	namespace string
	id        string
	address   string
	bundle    string
	debug     bool
	version   bool
	info      bool
	action    string
}

// Main runs the shim binary and returns its exit status. What containerd reads goes to stdout and nothing else does.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if os.Getenv(lockdown.StageVariable) != "" {
		return lockdown.Stage(args, stderr)
	}
	f, err := parseFlags(args, stderr)
	if err != nil {
		return 2
	}
	if err := run(f, stdin, stdout); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", runtimeName, err)
		return 1
	}
	return 0
}

func parseFlags(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("containerd-shim-mayfly-v1", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&f.namespace, "namespace", "", "namespace that owns the shim")
	set.StringVar(&f.id, "id", "", "id of the task")
	set.StringVar(&f.address, "address", "", "containerd's gRPC address")
	set.StringVar(&f.bundle, "bundle", "", "path of the bundle, for delete")
	set.BoolVar(&f.debug, "debug", false, "log more")
	set.BoolVar(&f.version, "v", false, "print the version and exit")
	set.BoolVar(&f.version, "version", false, "print the version and exit")
	set.BoolVar(&f.info, "info", false, "read runtime options from stdin, write what the runtime can do to stdout, and exit")
	set.String("publish-binary", "", "unused: events go to $TTRPC_ADDRESS")
	set.Usage = func() {
		fmt.Fprintf(stderr, "containerd runs this program; people do not. It has the actions start and delete, and these flags:\n")
		set.PrintDefaults()
	}
	if err := set.Parse(args); err != nil {
		return flags{}, err
	}
	f.action = set.Arg(0)
	return f, nil
}

func run(f flags, stdin io.Reader, stdout io.Writer) error {
	switch {
	case f.version:
		_, err := fmt.Fprintf(stdout, "containerd-shim-mayfly-v1:\n  Version:  %s\n  Revision: %s\n  Go version: %s\n",
			version.Version, version.Commit(), runtime.Version())
		return err
	case f.info:
		return info(stdin, stdout)
	case f.namespace == "":
		return fmt.Errorf("no -namespace: this program is run by containerd, not by hand")
	}
	ctx := namespaces.WithNamespace(context.Background(), f.namespace)
	switch f.action {
	case "start":
		return start(ctx, f, stdin, stdout)
	case "delete":
		return deleteAfterShim(ctx, f, stdout)
	case "":
		return serve(ctx, f)
	}
	return fmt.Errorf("unknown action %q: want start or delete", f.action)
}

// info answers containerd's question what this runtime can do: what runc can, under our name.
func info(stdin io.Reader, stdout io.Writer) error {
	options, err := translateOptions(stdin)
	if err != nil {
		return err
	}
	i, err := manager.NewShimManager(runtimeName).Info(context.Background(), options)
	if err != nil {
		return fmt.Errorf("ask runc for its features: %w", err)
	}
	i.Version.Version = version.Version
	i.Version.Revision = version.Commit()
	b, err := proto.Marshal(i)
	if err != nil {
		return err
	}
	_, err = stdout.Write(b)
	return err
}

// addressFile holds the shim's address in a bundle; containerd 1.x reads it.
const addressFile = "address"

// bundlePath is where the action's bundle is: the working directory, unless delete was told otherwise.
func bundlePath(f flags) (string, error) {
	if f.bundle != "" {
		return f.bundle, nil
	}
	return os.Getwd()
}
