//go:build linux

package shim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/pkg/sys/reaper"
	"github.com/containerd/fifo"
	runc "github.com/containerd/go-runc"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"
)

const (
	// quiet is how long after the last call that did something memory is given back to the kernel.
	quiet = 5 * time.Second
	// shutdownPatience bounds the callbacks at the end.
	shutdownPatience = 5 * time.Second
)

// serve is the shim of a pod, until its last container is deleted and containerd says so.
func serve(ctx context.Context, f flags) error {
	// Nodes run hundreds of shims: less garbage counts for more than speed.
	debug.SetGCPercent(40)
	signals := make(chan os.Signal, 32)
	signal.Notify(signals, unix.SIGCHLD, unix.SIGPIPE, unix.SIGTERM, unix.SIGINT, unix.SIGUSR1)
	if err := reaper.SetSubreaper(1); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	ctx, err := openLog(ctx, f)
	if err != nil {
		return err
	}
	ctx, sd := shutdown.WithShutdown(ctx)
	defer sd.Shutdown()

	s, err := newService(ctx, f.address, sd)
	if err != nil {
		return err
	}
	freer := newMemoryFreer(quiet, debug.FreeOSMemory)
	defer freer.stop()
	server, err := ttrpc.NewServer(
		ttrpc.WithServerHandshaker(ttrpc.UnixSocketRequireSameUser()),
		ttrpc.WithUnaryServerInterceptor(freer.intercept),
	)
	if err != nil {
		return err
	}
	registerTask(server, s)
	l, err := listener()
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	handleSignals(ctx, signals, s.runcs, sd.Shutdown)
	// Removed while we still listen: later it could be that of a shim that has taken our place.
	_ = os.Remove(l.Addr().String())
	l.Close()
	if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, ttrpc.ErrServerClosed) {
		log.G(ctx).WithError(err).Warn("serve the task API")
	}
	select {
	case <-sd.Done():
		return nil
	case <-time.After(shutdownPatience):
		return errors.New("the shim's last callbacks did not end")
	}
}

// newService makes the task service around containerd's own, which reports what happens to publisher.
func newService(ctx context.Context, containerd string, sd shutdown.Service) (*service, error) {
	publisher, err := containerdshim.NewPublisher(os.Getenv("TTRPC_ADDRESS"))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd's events at %q: %w", os.Getenv("TTRPC_ADDRESS"), err)
	}
	s := newSidecars(ctx, containerd)
	s.TTRPCTaskService, err = task.NewTaskService(ctx, &observer{Publisher: publisher, exited: s.exited}, sd)
	if err != nil {
		return nil, fmt.Errorf("start the runc task service: %w", err)
	}
	m, stopMonitor := newMonitor(reaper.Default)
	runc.Monitor, s.runcs = m, m
	sd.RegisterCallback(func(context.Context) error {
		s.close()
		stopMonitor()
		return nil
	})
	return s, nil
}

// openLog sends the log to containerd, through the fifo in the bundle. The shim's stderr goes there too, for panics.
func openLog(ctx context.Context, f flags) (context.Context, error) {
	if f.debug {
		if err := log.SetLevel("debug"); err != nil {
			return nil, err
		}
	}
	w, err := fifo.OpenFifoDup2(ctx, "log", unix.O_WRONLY, 0o700, int(os.Stderr.Fd()))
	if err != nil {
		return nil, fmt.Errorf("open the log fifo: %w", err)
	}
	entry := log.G(ctx).WithField("runtime", runtimeName)
	entry.Logger.SetOutput(w)
	return log.WithLogger(ctx, entry), nil
}

// listener is the socket that start made and containerd was told of.
func listener() (net.Listener, error) {
	file := os.NewFile(3, "socket")
	defer file.Close()
	l, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("take the socket from start: %w", err)
	}
	return l, nil
}

// handleSignals reaps children until the shim is told to end, by containerd or by a signal.
func handleSignals(ctx context.Context, signals <-chan os.Signal, runcs *monitor, shutdown func()) {
	others := make(chan struct{}, 1)
	go reapOthers(ctx, others) // may wait for who does not listen; nobody waits for it, as the process ends with ctx
	for {
		select {
		case <-ctx.Done():
			return
		case sig := <-signals:
			switch sig {
			case unix.SIGCHLD:
				if runcs.reap() {
					select {
					case others <- struct{}{}:
					default: // it will look anyway
					}
				}
			case unix.SIGTERM, unix.SIGINT:
				shutdown()
			case unix.SIGUSR1:
				logStacks(ctx)
			}
		}
	}
}

// reapOthers reaps, when it is woken, children that are no runc of ours.
func reapOthers(ctx context.Context, wake <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
			if err := reaper.Reap(); err != nil {
				log.G(ctx).WithError(err).Error("reap")
			}
		}
	}
}

// logStacks writes what every goroutine does, for who debugs a shim that hangs.
func logStacks(ctx context.Context) {
	buf := make([]byte, 1<<20)
	log.G(ctx).Infof("goroutines:\n%s", buf[:runtime.Stack(buf, true)])
}
