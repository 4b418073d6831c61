package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/ociimage"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

// options are what flags say of a guest and of how it runs, as the variables have it.
type options struct {
	listen, trigger, memory, timeout, maxInstances string
	env, dirs                                      []string
	noCache                                        bool // compiled code is neither looked for nor kept
}

// guestFlags adds the flags that every command which runs guests has.
func (o *options) guestFlags(f *pflag.FlagSet) {
	f.StringVar(&o.memory, "memory", "", "of one instance (default 64Mi)")
	f.StringArrayVarP(&o.env, "env", "e", nil, "variable for the guest or for mayfly, KEY=VALUE; repeatable")
	f.StringArrayVar(&o.dirs, "dir", nil, "directory for the guest, HOST:GUEST[:ro]; repeatable")
	f.BoolVar(&o.noCache, "no-cache", false, "compile anew, and do not keep the code")
}

// opener opens files of the command line, each for a site of its own.
type opener struct {
	*options
	args    []string // of the guests
	mounts  []guestfs.Mount
	changed func(flag string) bool
	stderr  io.Writer
	warned  map[string]bool
}

// opener checks what does not depend on a file.
func (o *options) opener(cmd *cobra.Command, args []string) (*opener, error) {
	if err := checkEnv(o.env); err != nil {
		return nil, usageError{err}
	}
	mounts, err := parseDirs(o.dirs)
	if err != nil {
		return nil, usageError{err}
	}
	return &opener{
		options: o, args: args, mounts: mounts,
		changed: cmd.Flags().Changed, stderr: cmd.ErrOrStderr(), warned: map[string]bool{},
	}, nil
}

// open reads a file. The caller closes the site.
func (o *opener) open(file string) (*site, error) {
	src, err := openSource(file, o.stderr)
	if err != nil {
		return nil, err
	}
	s := &site{source: src, args: o.args, mounts: o.mounts, noCache: o.noCache}
	if err := o.configure(s, o.changed, os.Environ()); err != nil {
		return nil, errors.Join(usageError{fmt.Errorf("%s: %w", file, err)}, s.close())
	}
	for _, sentence := range s.unknown {
		if !o.warned[sentence] { // what the shell says, it says of every file
			o.warned[sentence] = true
			fmt.Fprintln(o.stderr, "mayfly: warning:", printable(sentence))
		}
	}
	return s, nil
}

// configure merges what the image, the shell and the flags say.
func (o *options) configure(s *site, changed func(string) bool, shell []string) error {
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
	if s.sidecar.Trigger == "" && !component.Is(s.wasm) {
		s.sidecar.Trigger = config.TriggerHTTP // nothing shows whether a core module answers requests: who says serve, means that
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

// parseDirs reads --dir values: HOST:GUEST, or HOST::GUEST as wasmtime has it.
func parseDirs(dirs []string) ([]guestfs.Mount, error) {
	var mounts []guestfs.Mount
	for _, d := range dirs {
		rest, readOnly := strings.CutSuffix(d, ":ro")
		host, guest, ok := strings.Cut(rest, ":")
		guest = strings.TrimPrefix(guest, ":")
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
