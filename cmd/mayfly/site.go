package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/logfmt"
	"github.com/mayfly-run/mayfly/internal/ociimage"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// laptopMemory is the memory limit of one sidecar, in bytes, where there is no
// container to have one.
const laptopMemory = 2 << 30

// site is one file being served.
type site struct {
	*source
	args     []string // the guest's, as given behind --
	mounts   []guestfs.Mount
	sidecar  config.Sidecar
	guestEnv []string
	unknown  []string // a sentence for each setting that mayfly does not know

	files     *guestfs.Files // nil: none
	noCache   bool
	code      *keptCode // nil: it was compiled for this site alone
	app       *wasihttp.App
	listeners []net.Listener
}

// openFiles opens the guest's directories: the image's files, and those that were given.
func (s *site) openFiles() (err error) {
	mounts := s.mounts
	if s.root != "" {
		mounts = append([]guestfs.Mount{{Host: s.root, Guest: "/"}}, mounts...)
	}
	if len(mounts) == 0 {
		return nil
	}
	if s.files, err = guestfs.OpenDirs(mounts); err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	return nil
}

// load compiles the module and opens its files. Messages go to stderr, what is logged to log.
func (s *site) load(ctx context.Context, stderr, log io.Writer) (err error) {
	if err := s.openFiles(); err != nil {
		return err
	}
	defer notice(stderr, compiling(s.file, s.wasm))()
	s.app, err = s.loadApp(ctx, s.options(stderr, log))
	if err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	return nil
}

// options are what the engine is told. Messages are formed for stderr and go to log.
func (s *site) options(stderr, log io.Writer) wasihttp.Options {
	return wasihttp.Options{
		Wasm: s.wasm, Sidecar: s.sidecar, Args: s.command(s.args), Env: config.GuestEnv(s.guestEnv), Files: s.files,
		Log: logfmt.New(log, s.form(stderr)).With("app", filepath.Base(s.file)), GuestLog: log,
		MemoryLimit: max(laptopMemory, 2*s.sidecar.Memory),
	}
}

// movePorts gives the site ports that none before it has.
func (s *site) movePorts(taken map[int]bool) {
	moved := map[int]int{} // addresses that share a port move together
	for i, a := range s.sidecar.Listen {
		if a.Network == "unix" {
			continue
		}
		if _, ok := moved[a.Port]; !ok {
			port := a.Port
			for taken[port] && port < 65535 {
				port++
			}
			taken[port], moved[a.Port] = true, port
		}
		s.sidecar.Listen[i].Port = moved[a.Port]
	}
	if len(s.sidecar.Listen) > 0 && ociimage.LookupEnv(s.guestEnv, "PORT") != "" {
		if port := s.sidecar.Listen[0].Port; port != 0 {
			s.guestEnv = ociimage.MergeEnv(s.guestEnv, []string{"PORT=" + strconv.Itoa(port)})
		}
	}
}

// listen opens the sockets. Those that the machine has no address for are left
// out where they are optional.
func (s *site) listen() error {
	for _, a := range s.sidecar.Listen {
		address := a.Path
		if a.Network != "unix" {
			address = net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
		}
		l, err := net.Listen(a.Network, address)
		switch {
		case err == nil:
			s.listeners = append(s.listeners, l)
		case a.Optional && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)):
		case errors.Is(err, syscall.EADDRINUSE):
			return fmt.Errorf("%s: %s is in use by another program: choose another with --listen, as in --listen localhost:%d", s.file, a, a.Port%65535+1)
		case errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("%s: %s may not be used without root: choose another with --listen, as in --listen localhost:%d", s.file, a, defaultPort)
		default:
			return fmt.Errorf("%s: %w: choose another address with --listen, as in --listen localhost:%d", s.file, err, defaultPort)
		}
	}
	return nil
}

// urls are the places where the site answers, as one would type them.
func (s *site) urls() []string {
	var urls []string
	seen := map[string]bool{}
	for _, l := range s.listeners {
		u := "unix:" + l.Addr().String()
		if a, ok := l.Addr().(*net.TCPAddr); ok {
			host := a.IP.String()
			if a.IP.IsLoopback() || a.IP.IsUnspecified() {
				host = "localhost"
			}
			u = "http://" + net.JoinHostPort(host, strconv.Itoa(a.Port))
		}
		if !seen[u] {
			seen[u] = true
			urls = append(urls, u)
		}
	}
	return urls
}

// form is that of what a node would log.
func (s *site) form(w io.Writer) logfmt.Options {
	f, ok := w.(*os.File)
	return logfmt.Options{JSON: s.sidecar.JSONLog, Debug: s.sidecar.Debug, Colour: ok && logfmt.Colour(f)}
}

// runCommand runs the guest once. Its exit code is in the error.
func (s *site) runCommand(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	in, release, err := newInput(ctx, stdin)
	if err != nil {
		return err
	}
	defer release()
	return s.outcome(ctx, s.app.Command(ctx, in, stdout, stderr))
}

// outcome is what the command line ends with when the guest ended with err.
func (s *site) outcome(ctx context.Context, err error) error {
	var exit *instance.ExitError
	var trap *instance.TrapError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // a guest may have exited for its input failed
		if cause := context.Cause(ctx); errors.Is(cause, errTimeout) {
			return guestExit{code: exitTimeout, err: fmt.Errorf("%s: %w", s.file, cause)}
		}
		return guestExit{code: exitStopped}
	case errors.As(err, &exit):
		return guestExit{code: exit.Code}
	case errors.As(err, &trap):
		return guestExit{code: exitTrap, err: fmt.Errorf("%s: %w\n%s", s.file, err, strings.TrimSuffix(trap.Stack, "\n"))}
	}
	return fmt.Errorf("%s: %w", s.file, err)
}

// close frees everything the site holds.
func (s *site) close() error {
	var err error
	for _, l := range s.listeners {
		err = errors.Join(err, l.Close())
	}
	if s.app != nil {
		err = errors.Join(err, s.app.Close(context.Background()))
	}
	if s.code != nil {
		err = errors.Join(err, s.code.close())
	}
	if s.files != nil {
		err = errors.Join(err, s.files.Close())
	}
	return errors.Join(err, s.source.close())
}
