package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/logfmt"
	"github.com/mayfly-run/mayfly/internal/ociimage"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

type serveOptions struct {
	listen, trigger, memory, timeout, maxInstances string // as the variables have them
	env, dirs                                      []string
}

func newServe() *cobra.Command {
	var o serveOptions
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

With --trigger command the guest runs once with this terminal's input and output,
and its exit code is that of mayfly. Ctrl-C finishes the requests in flight; a
second Ctrl-C does not.`,
		Example: `  mayfly serve app.wasm
  mayfly serve hello.tar --listen :9000 --timeout 5s
  mayfly serve a.wasm b.tar
  mayfly serve app.wasm --env GREETING=hi --dir ./data:/data:ro
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
			return o.run(cmd, files, guestArgs)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "", "HOST:PORT, :PORT or unix:/PATH to answer on (default: localhost and the image's port, or 8080)")
	f.StringVar(&o.trigger, "trigger", "", "what starts an instance: http or command (default: the image's, or http)")
	completeWith(cmd, "trigger", string(config.TriggerHTTP), string(config.TriggerCommand))
	f.StringVar(&o.timeout, "timeout", "", "`duration` of one request at most (default 30s)")
	f.StringVar(&o.maxInstances, "max-instances", "", "`number` of instances alive at once (default: what fits into 2 GiB)")
	f.StringVar(&o.memory, "memory", "", "of one instance (default 64Mi)")
	f.StringArrayVarP(&o.env, "env", "e", nil, "variable for the guest or for mayfly, KEY=VALUE; repeatable")
	f.StringArrayVar(&o.dirs, "dir", nil, "directory for the guest, HOST:GUEST[:ro]; repeatable")
	return cmd
}

// splitDash parts the files from what stands behind --.
func splitDash(cmd *cobra.Command, args []string) (files, guestArgs []string) {
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		return args[:n], args[n:]
	}
	return args, nil
}

func (o *serveOptions) run(cmd *cobra.Command, files, args []string) (err error) {
	if err := checkEnv(o.env); err != nil {
		return usageError{err}
	}
	mounts, err := parseDirs(o.dirs)
	if err != nil {
		return usageError{err}
	}
	var sites []*site
	defer func() {
		for _, s := range sites {
			err = errors.Join(err, s.close())
		}
	}()
	taken, warned := map[int]bool{}, map[string]bool{}
	for _, file := range files {
		src, err := openSource(file, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		s := &site{source: src, args: args, mounts: mounts}
		sites = append(sites, s)
		if err := o.configure(s, cmd.Flags().Changed, os.Environ()); err != nil {
			return usageError{fmt.Errorf("%s: %w", file, err)}
		}
		for _, sentence := range s.unknown {
			if !warned[sentence] { // what the shell says, it says of every file
				warned[sentence] = true
				fmt.Fprintln(cmd.ErrOrStderr(), "mayfly: warning:", printable(sentence))
			}
		}
		s.movePorts(taken)
	}
	for _, s := range sites {
		if s.sidecar.Trigger == config.TriggerCommand {
			if len(sites) > 1 {
				return usagef("%s has the trigger command, which runs by itself: give it alone, or add --trigger http", s.file)
			}
			return s.runCommand(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		}
	}
	return serveAll(cmd.Context(), sites, cmd.OutOrStdout(), cmd.ErrOrStderr())
}

// configure merges what the image, the shell and the flags say.
func (o *serveOptions) configure(s *site, changed func(string) bool, shell []string) error {
	s.guestEnv = ociimage.MergeEnv(s.env(), o.env)
	env, err := onLaptop(s.env())
	if err != nil {
		return err
	}
	for _, kv := range shell {
		if strings.HasPrefix(kv, "MAYFLY_") {
			env = ociimage.MergeEnv(env, []string{kv})
		}
	}
	env = ociimage.MergeEnv(env, o.env)
	for _, f := range []struct{ flag, variable, value string }{
		{"listen", "MAYFLY_LISTEN", o.listen},
		{"trigger", "MAYFLY_TRIGGER", o.trigger},
		{"timeout", "MAYFLY_TIMEOUT", o.timeout},
		{"max-instances", "MAYFLY_MAX_INSTANCES", o.maxInstances},
		{"memory", "MAYFLY_MEMORY", o.memory},
	} {
		if changed(f.flag) {
			env = ociimage.MergeEnv(env, []string{f.variable + "=" + f.value})
		}
	}
	s.unknown = config.Unknown(env)
	if ociimage.LookupEnv(env, "PORT") == "" {
		env = ociimage.MergeEnv(env, []string{fmt.Sprintf("PORT=%d", defaultPort)})
	}
	if s.sidecar, err = config.Parse(env); err != nil {
		return err
	}
	if s.sidecar.Trigger == "" {
		s.sidecar.Trigger = config.TriggerHTTP // who says serve, means that
	}
	s.sidecar.IdleTimeout = config.Never // nobody would start the engine again
	return nil
}

// onLaptop is an image's environment with the port alone of where it listens. The
// rest was said of a pod: there "all addresses" are the pod's own, here they are
// those of whatever network the machine is in.
func onLaptop(env []string) ([]string, error) {
	if ociimage.LookupEnv(env, "MAYFLY_LISTEN") == "" {
		return env, nil
	}
	c, err := config.Parse(env)
	if err != nil {
		return nil, err
	}
	env = ociimage.MergeEnv(env, []string{"MAYFLY_LISTEN="})
	if port := c.Listen[0].Port; port != 0 {
		env = ociimage.MergeEnv(env, []string{fmt.Sprintf("PORT=%d", port)})
	}
	return env, nil
}

// parseDirs reads --dir values.
func parseDirs(dirs []string) ([]guestfs.Mount, error) {
	var mounts []guestfs.Mount
	for _, d := range dirs {
		rest, readOnly := strings.CutSuffix(d, ":ro")
		host, guest, ok := strings.Cut(rest, ":")
		if !ok || host == "" || !strings.HasPrefix(guest, "/") || strings.Contains(guest, ":") {
			return nil, fmt.Errorf("--dir %s: want HOST:GUEST or HOST:GUEST:ro, as in --dir ./data:/data:ro", d)
		}
		info, err := os.Stat(host)
		if err != nil {
			return nil, fmt.Errorf("--dir %s: %w", d, err)
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("--dir %s: %s is not a directory: give the one it is in", d, host)
		}
		if host, err = filepath.Abs(host); err != nil {
			return nil, fmt.Errorf("--dir %s: %w", d, err)
		}
		mounts = append(mounts, guestfs.Mount{Host: host, Guest: guest, ReadOnly: readOnly})
	}
	return mounts, nil
}

// serveAll loads all sites, says where they answer, and serves them until ctx ends
// or one fails.
func serveAll(ctx context.Context, sites []*site, stdout, stderr io.Writer) error {
	log := logfmt.NewBuffered(stderr, sites[0].form(stderr)) // one for all, so that lines do not mix
	defer log.Close()
	for _, s := range sites {
		if err := s.load(ctx, stderr, log); err != nil {
			return err
		}
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
