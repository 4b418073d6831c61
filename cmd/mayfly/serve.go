package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/logfmt"
)

func newServe() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "serve FILE.wasm|IMAGE.tar... [-- ARGS]",
		Short: "Run sidecars on this machine, without root or containerd",
		Long: `Run sidecars on this machine with the engine that a node runs: each request is
answered by a fresh instance. Nothing else is needed, no root and no containerd.

Each file answers on localhost, on a port of its own: the one its image or --env PORT
names, else 8080, or the next that no other file of this command has. Other addresses
are given with --listen; an image cannot choose them. Where each file answers is
printed on stdout, a line for each; messages and the guests' output are on stderr.

A guest sees the variables of its image and those given with --env, nothing of
this shell. Variables MAYFLY_* speak to mayfly: from the image, then this shell,
then --env, then the flags; the last wins. One that this mayfly does not know is
ignored, with a warning.

An image's files are there for its guest, in a copy that goes away at the end. Other
directories are given with --dir, to be written too unless :ro is added.

A component that exports no wasi:http/incoming-handler but wasi:cli/run, and anything
with --trigger command, runs once with this terminal's input and output, and its exit
code is that of mayfly, as with mayfly run. Ctrl-C finishes the requests in flight; a
second Ctrl-C does not.

What a file is compiled to is kept for the next time, in the user's cache directory
(mayfly/compiled), up to 2 GiB; --no-cache does without.`,
		Example: `  mayfly serve app.wasm
  mayfly serve hello.tar --listen :9000 --timeout 5s
  mayfly serve a.wasm b.tar
  mayfly serve app.wasm --env GREETING=hi --dir ./data:/data:ro
  mayfly serve app.wasm --no-cache
  mayfly serve --trigger command job.wasm -- --verbose input.txt`,
		ValidArgsFunction: completeFiles,
		Args: func(cmd *cobra.Command, args []string) error {
			if files, _ := splitDash(cmd, args); len(files) == 0 {
				return usagef("serve needs a file: a module or an image")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			files, guestArgs := splitDash(cmd, args)
			return o.serve(cmd, files, guestArgs)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "", "HOST:PORT, :PORT or unix:/PATH to answer on (default: localhost and the image's port, or 8080)")
	f.StringVar(&o.trigger, "trigger", "", "what starts an instance: http or command (default: the image's, or what a component is made for, else http)")
	completeWith(cmd, "trigger", string(config.TriggerHTTP), string(config.TriggerCommand))
	f.StringVar(&o.timeout, "timeout", "", "`duration` of one request at most (default 30s)")
	f.StringVar(&o.maxInstances, "max-instances", "", "`number` of instances alive at once (default: what fits into 2 GiB)")
	o.guestFlags(f)
	return cmd
}

// splitDash parts the files from what stands behind --.
func splitDash(cmd *cobra.Command, args []string) (files, guestArgs []string) {
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		return args[:n], args[n:]
	}
	return args, nil
}

func (o *options) serve(cmd *cobra.Command, files, args []string) (err error) {
	opener, err := o.opener(cmd, args)
	if err != nil {
		return err
	}
	var sites []*site
	defer func() {
		for _, s := range sites {
			err = errors.Join(err, s.close())
		}
	}()
	taken := map[int]bool{}
	for _, file := range files {
		s, err := opener.open(file)
		if err != nil {
			return err
		}
		sites = append(sites, s)
		if s.sidecar.Trigger == config.TriggerCommand && len(files) > 1 {
			return runsAlone(s)
		}
		s.movePorts(taken)
	}
	log := logfmt.NewBuffered(cmd.ErrOrStderr(), sites[0].form(cmd.ErrOrStderr())) // one for all, so that lines do not mix
	defer log.Close()
	for _, s := range sites {
		if err := s.load(cmd.Context(), cmd.ErrOrStderr(), log); err != nil {
			return err
		}
		switch {
		case s.app.Trigger != config.TriggerCommand:
		case len(sites) > 1:
			return runsAlone(s)
		default:
			return s.runCommand(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		}
	}
	return serveAll(cmd.Context(), sites, cmd.OutOrStdout())
}

// runsAlone is the error that a command is one of several files.
func runsAlone(s *site) error {
	return usagef("%s has the trigger command, which runs by itself: give it alone, or add --trigger http", s.file)
}

// serveAll says where the sites answer, and serves them until ctx ends or one fails.
func serveAll(ctx context.Context, sites []*site, stdout io.Writer) error {
	for _, s := range sites {
		if err := s.listen(); err != nil {
			return err
		}
	}
	for _, s := range sites {
		if _, err := fmt.Fprintf(stdout, "%s\t%s\n", s.file, strings.Join(s.urls(), " ")); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range sites {
		g.Go(func() error {
			listeners := s.listeners
			s.listeners = nil // the server closes them
			return s.app.Server.Serve(ctx, listeners, nil)
		})
	}
	return g.Wait()
}
