package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/peers"
)

// logs is where the servers' output goes.
const logs = "out/differential"

// guest is what every guest has where its server can give it.
var guest = peers.Guest{
	Env:     [][2]string{{"GREETING", "hello, world"}, {"EMPTY", ""}},
	Args:    []string{"one", "two words"},
	Network: true,
}

// errDiffers is the end of a run that found something; it was printed.
var errDiffers = errors.New("answers differ")

func main() { os.Exit(doMain(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the command line's.
type options struct {
	run  *regexp.Regexp
	json bool
	all  bool
}

func doMain(args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, o, stdout); {
	case errors.Is(err, errDiffers):
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "differential:", err)
		return 1
	}
	return 0
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	set := flag.NewFlagSet("differential", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.BoolVar(&o.all, "known", false, "tell known differences and their reasons too")
	output := set.String("o", "text", "text or json")
	pattern := set.String("run", "", "only the requests whose COMPONENT/GROUP/NAME matches `REGEXP`")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	var err error
	switch {
	case set.NArg() > 0:
		err = fmt.Errorf("unknown argument %q", set.Arg(0))
	case *output != "text" && *output != "json":
		err = fmt.Errorf("-o %s: there are text and json", *output)
	case *pattern != "":
		o.run, err = regexp.Compile(*pattern)
	}
	o.json = *output == "json"
	if err != nil {
		fmt.Fprintln(stderr, "differential:", err)
	}
	return o, err
}

func run(ctx context.Context, o options, stdout io.Writer) (err error) {
	known, err := parseKnown(knownText)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mayfly-differential-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	progress := lab.NewProgress(os.Stderr)
	mayfly, err := peers.Mayfly(dir, progress, guest)
	if err != nil {
		return err
	}
	others, err := findPeers(progress)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(logs); err != nil {
		return err
	}
	to, err := filepath.Abs(logs)
	if err != nil {
		return err
	}
	origin, err := startOrigin()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.close()) }()
	r := &runner{mayfly: mayfly, peers: others, only: o.run, known: known, origin: origin, logs: to, progress: progress}
	all, err := components(func(c *component) bool { return len(r.questions(c)) > 0 }, progress)
	if err != nil {
		return err
	}
	found, err := r.run(ctx, all)
	if err != nil {
		return err
	}
	if o.json {
		err = found.writeJSON(stdout)
	} else {
		err = found.print(stdout, o.all)
	}
	if err == nil && !found.good() {
		err = errDiffers
	}
	return err
}

// findPeers returns the servers that mayfly is compared with.
func findPeers(progress *lab.Progress) ([]*peers.Server, error) {
	var found []*peers.Server
	var missing []string
	for _, p := range []struct {
		name string
		find func() (*peers.Server, error)
	}{
		{"wasmtime", func() (*peers.Server, error) {
			w, err := peers.FindWasmtime(progress)
			if err != nil {
				return nil, err
			}
			return w.Server("wasmtime", guest), nil
		}},
		{"jco", func() (*peers.Server, error) { return peers.Jco(progress, guest) }},
	} {
		peer, err := p.find()
		if err != nil {
			fmt.Fprintf(os.Stderr, "differential: without %s: %v\n", p.name, err)
			missing = append(missing, p.name)
			continue
		}
		found = append(found, peer)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("nothing to compare with: there is no %s", strings.Join(missing, " and no "))
	}
	return found, nil
}
