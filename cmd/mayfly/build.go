package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/ociimage"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// defaultPort is the port of an image that is built without --port. A sidecar's
// own default, 80, cannot be had on a laptop without root; 8080 works in both places.
const defaultPort = 8080

type buildOptions struct {
	tag, output, trigger, port, rootfs string
	snapshot                           string
	env, files, platforms              []string
	labels                             map[string]string
	format                             *format
}

// built is the result of a build.
type built struct {
	Reference string   `json:"reference"`
	Digest    string   `json:"digest"`
	Size      int64    `json:"size"`
	Archive   string   `json:"archive"`
	Platforms []string `json:"platforms"`
}

func newBuild() *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build APP.wasm -t NAME:TAG",
		Short: "Pack a component or a module into a container image",
		Long: `Pack a WebAssembly component or module into a container image, as one tar file
that ctr image import, docker load and kind load image-archive take.

It is loaded first, as a node would load it: what cannot run is refused here. The
same input gives the same digest, everywhere.

What starts an instance is seen from a component: each request if it exports
wasi:http/incoming-handler, else it is a command. Of a core module nothing shows it:
it is taken to answer requests, unless --trigger command says otherwise.

The name is completed as kubelet completes the one in a pod: hello:v1 becomes
docker.io/library/hello:v1, me/hello:v1 becomes docker.io/me/hello:v1, and a name
that starts with a host (registry.example/hello:v1, localhost:5000/hello:v1)
stays. So a pod that says image: hello:v1 finds it on a node where it was
imported into containerd's namespace k8s.io. Without a tag it is latest, which
kubelet pulls each time unless the pod has imagePullPolicy: Never or IfNotPresent.

The image runs as user 65532. Its environment holds the defaults that the pod
may change: MAYFLY_TRIGGER, PORT, and what --snapshot and --env add. A MAYFLY_* variable that
this mayfly does not know is refused.

The result goes to stdout: name, digest, bytes, file.`,
		Example: `  mayfly build app.wasm -t hello:v1
  mayfly build app.wasm -t hello:v1 -o hello.tar --port 9000 --env GREETING=hi
  mayfly build app.wasm -t hello:v1 --file index.html:/www/index.html
  mayfly build app.wasm -t hello:v1 --snapshot=init
  mayfly build job.wasm -t job:v1 --trigger command
  mayfly build app.wasm -t hello:v1 --platform linux/amd64,linux/arm64 --format json

  ctr --namespace k8s.io image import hello.tar`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"wasm"}, cobra.ShellCompDirectiveFilterFileExt
		},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("build takes one module, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.tag, "tag", "t", "", "name of the image, NAME:TAG (required)")
	f.StringVarP(&o.output, "output", "o", "", "file to write (default: the module's name with .tar)")
	f.StringVar(&o.trigger, "trigger", "", "what starts an instance: http (each request) or command (once) (default: what a component is made for, else http)")
	f.StringVar(&o.port, "port", "", "`port` the sidecar answers on (default 8080 with trigger http)")
	f.StringVar(&o.snapshot, "snapshot", "", "init: instances begin where one is that has been initialised; see MAYFLY_SNAPSHOT for its price (default: none)")
	f.StringArrayVarP(&o.env, "env", "e", nil, "variable of the image, KEY=VALUE; repeatable")
	f.StringArrayVar(&o.files, "file", nil, "file or directory to add, HOST[:GUEST]; repeatable")
	f.StringVar(&o.rootfs, "rootfs", "", "directory whose content becomes the root of the image")
	f.StringSliceVar(&o.platforms, "platform", nil, "linux/ARCH; several make an image for each (default: this machine's)")
	f.StringToStringVarP(&o.labels, "label", "l", nil, "label of the image, KEY=VALUE; repeatable")
	completeWith(cmd, "trigger", string(config.TriggerHTTP), string(config.TriggerCommand))
	completeWith(cmd, "snapshot", config.SnapshotInit, config.SnapshotNone)
	o.format = formatFlag(cmd, "")
	return cmd
}

func (o *buildOptions) run(cmd *cobra.Command, file string) error {
	app, ref, err := o.app(cmd, file)
	if err != nil {
		return err
	}
	if err := addFiles(&app.Root, o.rootfs, o.files); err != nil {
		return err
	}
	if app.Module, err = wasihttp.ReadModule(file); err != nil {
		return err
	}
	if err := o.settle(cmd, file, &app); err != nil {
		return err
	}
	spec, err := app.Spec()
	if err != nil {
		return err
	}
	img, err := ociimage.Build(spec)
	if err != nil {
		return err
	}
	output := o.output
	if output == "" {
		output = strings.TrimSuffix(filepath.Base(file), ".wasm") + ".tar"
	}
	if err := writeWhole(output, func(w io.Writer) error { return img.WriteArchive(w, ref) }); err != nil {
		return err
	}
	if ref.Tag == "latest" {
		fmt.Fprintln(cmd.ErrOrStderr(), "mayfly: note: kubelet pulls the tag latest each time: give the pod imagePullPolicy: Never, or the image another tag")
	}
	result := built{Reference: ref.String(), Digest: img.Digest().String(), Size: img.Size(), Archive: output}
	for _, p := range app.Platforms {
		result.Platforms = append(result.Platforms, p.String())
	}
	return o.format.write(cmd.OutOrStdout(), result, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, result.Reference, result.Digest, result.Size, result.Archive)
		return err
	})
}

// settle checks the app and decides what nobody said: the trigger, and the port that
// goes with it.
func (o *buildOptions) settle(cmd *cobra.Command, file string, app *ociimage.App) error {
	if app.Trigger == "" && !component.Is(app.Module) {
		app.Trigger = string(config.TriggerHTTP) // nothing shows whether a core module answers requests
	}
	sidecar, err := config.Parse(app.Environment())
	if err != nil {
		return usageError{err}
	}
	trigger, err := check(cmd.Context(), file, app.Module, sidecar, cmd.ErrOrStderr())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	app.Trigger = string(trigger)
	switch {
	case trigger == config.TriggerHTTP && app.Port == 0:
		app.Port = defaultPort
	case trigger == config.TriggerCommand && app.Port != 0:
		return usageError{portOfCommand(app.Port)}
	}
	return nil
}

func portOfCommand(port int) error {
	return fmt.Errorf("--port %d: a sidecar with trigger command does not listen: leave --port out, or the trigger", port)
}

// app is what the flags say, before a file is touched.
func (o *buildOptions) app(cmd *cobra.Command, file string) (ociimage.App, ociimage.Reference, error) {
	app := ociimage.App{Name: filepath.Base(file), Trigger: o.trigger, Env: o.env, Labels: o.labels}
	fail := func(err error) (ociimage.App, ociimage.Reference, error) {
		return app, ociimage.Reference{}, usageError{err}
	}
	if o.tag == "" {
		return fail(errors.New("the image needs a name: add -t NAME:TAG"))
	}
	ref, err := ociimage.ParseReference(o.tag)
	if err != nil {
		return fail(err)
	}
	if err := checkEnv(o.env); err != nil {
		return fail(err)
	}
	if unknown := config.Unknown(o.env); len(unknown) > 0 {
		return fail(errors.New(strings.Join(unknown, "\n")))
	}
	if cmd.Flags().Changed("snapshot") {
		app.Env = append(slices.Clone(o.env), "MAYFLY_SNAPSHOT="+o.snapshot)
	}
	if app.Trigger, app.Port, err = o.defaults(cmd.Flags().Changed); err != nil {
		return fail(err)
	}
	if len(o.platforms) == 0 {
		app.Platforms = []v1.Platform{ociimage.HostPlatform()}
	}
	for _, s := range o.platforms {
		p, err := ociimage.ParsePlatform(s)
		if err != nil {
			return fail(err)
		}
		if slices.ContainsFunc(app.Platforms, p.Equals) {
			return fail(fmt.Errorf("--platform %s is there twice: name it once", p))
		}
		app.Platforms = append(app.Platforms, p)
	}
	return app, ref, nil
}

// defaults are the trigger and the port that were asked for, empty and 0 for none. What
// a flag and --env say of the same must agree: which of the two was meant, nobody can
// tell.
func (o *buildOptions) defaults(changed func(string) bool) (trigger string, port int, err error) {
	env := ociimage.MergeEnv(nil, o.env) // the last of several counts
	conflict := func(flag, value, variable string) error {
		if said := ociimage.LookupEnv(env, variable); changed(flag) && said != "" && said != value {
			return fmt.Errorf("--%s %s and --env %s=%s contradict each other: leave one out", flag, value, variable, said)
		}
		return nil
	}
	trigger = cmp.Or(o.trigger, ociimage.LookupEnv(env, "MAYFLY_TRIGGER"))
	if err := conflict("trigger", trigger, "MAYFLY_TRIGGER"); err != nil {
		return "", 0, err
	}
	if !changed("port") {
		return trigger, 0, nil
	}
	if port, err = strconv.Atoi(o.port); err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("--port %s: want a port from 1 to 65535, as in --port %d", o.port, defaultPort)
	}
	if trigger == string(config.TriggerCommand) {
		return "", 0, portOfCommand(port)
	}
	return trigger, port, conflict("port", strconv.Itoa(port), "PORT")
}

// checkEnv refuses what is no KEY=VALUE.
func checkEnv(env []string) error {
	for _, kv := range env {
		if key, _, ok := strings.Cut(kv, "="); !ok || key == "" || strings.ContainsRune(kv, 0) {
			return fmt.Errorf("--env %s: want KEY=VALUE, as in --env GREETING=hello", strconv.Quote(kv))
		}
	}
	return nil
}

func addFiles(t *ociimage.Tree, rootfs string, files []string) error {
	if rootfs != "" {
		if info, err := os.Stat(rootfs); err != nil {
			return fmt.Errorf("--rootfs: %w", err)
		} else if !info.IsDir() {
			return fmt.Errorf("--rootfs %s: not a directory: use --file for a file", rootfs)
		}
		if err := t.Add("/", rootfs); err != nil {
			return err
		}
	}
	for _, f := range files {
		host, guest, ok := strings.Cut(f, ":")
		if !ok {
			guest = "/" + filepath.Base(host)
		}
		if !strings.HasPrefix(guest, "/") {
			return usagef("--file %s: the path in the image must be absolute, as in --file %s:/%s", f, host, guest)
		}
		if err := t.Add(guest, host); err != nil {
			return fmt.Errorf("--file %s: %w", f, err)
		}
	}
	return nil
}

// writeWhole writes a file that is there with all its content or not at all.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".mayfly-*")
	if err != nil {
		if p := (*fs.PathError)(nil); errors.As(err, &p) {
			err = p.Err // its path is of a name that nobody gave
		}
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
