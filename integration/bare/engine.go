//go:build linux

// Package bare runs an engine without containerd, shim and holder, for
// benchmarks of the engine alone. It is told what to do as the holder tells it.
package bare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/control"
)

const (
	// startTimeout bounds how long an engine compiles.
	startTimeout = 90 * time.Second
	// stopTimeout bounds how long one may take to end.
	stopTimeout = 20 * time.Second
)

// Options says what an engine runs.
type Options struct {
	Binary   string // mayfly-engine
	Module   string // a file
	Compiled string // a directory that Compile has filled; "": the engine compiles
	Env      []string
	Limit    uint64 // of memory, as the shim tells it of the container's; 0 is none
	Within   *Limit // what it runs in, if anything: Limit says no more than the engine knows
}

// Compile compiles a module into an empty directory.
func Compile(ctx context.Context, binary, module, dir string) error {
	file, err := os.Open(module)
	if err != nil {
		return err
	}
	defer file.Close()
	c := exec.CommandContext(ctx, binary, "compile", "-out", dir, "-module", "3")
	c.ExtraFiles = []*os.File{file}
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("compile %s: %w: %s", module, err, text)
	}
	return nil
}

// Engine is a running engine that serves requests.
type Engine struct {
	Addr  string        // host:port
	Begun time.Time     // when the process was started
	Ready time.Duration // from then on until it said so

	cmd    *exec.Cmd
	link   *control.Conn
	stderr bytes.Buffer // read it when the process has ended
	ended  chan error
	wait   sync.WaitGroup // for who reads the link
}

// Start starts an engine on an address of its own and waits until it is ready.
func Start(o Options) (*Engine, error) {
	module, err := filepath.Abs(o.Module)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close() // the engine has its own
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	ours, theirs, err := control.Pair()
	if err != nil {
		return nil, err
	}
	status := os.NewFile(uintptr(theirs.Fd()), "status") // theirs is not used but for its descriptor
	defer status.Close()

	e := &Engine{Addr: l.Addr().String(), link: ours, ended: make(chan error, 1)}
	e.cmd = exec.Command(o.Binary, "-status", "3", "-listen", "4", "-memory-limit", strconv.FormatUint(o.Limit, 10), "-module", module, "--", "app")
	e.cmd.Env = append([]string{"MAYFLY_TRIGGER=http", "MAYFLY_IDLE_TIMEOUT=never"}, o.Env...)
	e.cmd.ExtraFiles = []*os.File{status, socket}
	if o.Compiled != "" {
		dir, err := os.Open(o.Compiled)
		if err != nil {
			_ = ours.Close()
			return nil, err
		}
		defer dir.Close()
		e.cmd.ExtraFiles = append(e.cmd.ExtraFiles, dir)
		e.cmd.Args = slices.Insert(e.cmd.Args, 1, "-compiled", "5")
	}
	e.cmd.Stderr = &e.stderr
	e.Begun = time.Now()
	if err := e.cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, err
	}
	go func() { e.ended <- e.cmd.Wait() }() // Stop waits for it
	if o.Within != nil {
		err = o.Within.add(e.Pid())
	}
	said := make(chan control.Message, 1)
	e.wait.Go(func() { e.listen(said) })
	select {
	case m, ok := <-said:
		e.Ready = time.Since(e.Begun)
		if ok && m.Kind == control.Ready && err == nil {
			return e, nil
		}
		err = errors.Join(err, fmt.Errorf("start an engine: %s", m.Text))
	case <-time.After(startTimeout):
		err = errors.New("start an engine: it is not ready in time")
	}
	text, err2 := e.Stop()
	return nil, fmt.Errorf("%w\n%s", errors.Join(err, err2), text)
}

// listen passes on the first thing that the engine says other than that it
// lives, and goes on so that it can say that.
func (e *Engine) listen(said chan<- control.Message) {
	defer close(said)
	first := true
	for {
		m, fds, err := e.link.Recv()
		control.CloseAll(fds)
		if err != nil {
			return
		}
		if first && m.Kind != control.Beat {
			said <- m
			first = false
		}
	}
}

// Pid is the process's.
func (e *Engine) Pid() int { return e.cmd.Process.Pid }

// Memory is what the process costs now.
func (e *Engine) Memory() (lab.Memory, error) {
	return lab.MemoryOf(e.proc("smaps_rollup"))
}

// CPU is the processor time since the start.
func (e *Engine) CPU() (time.Duration, error) {
	text, err := os.ReadFile(e.proc("stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name, which may have anything in it
	var ticks [2]int64
	if f := strings.Fields(rest); len(f) > 12 {
		_, err = fmt.Sscan(f[11]+" "+f[12], &ticks[0], &ticks[1])
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere
	return time.Duration(ticks[0]+ticks[1]) * tick, err
}

// Maps is how many mappings the process has, of which the kernel allows
// vm.max_map_count.
func (e *Engine) Maps() (int, error) {
	text, err := os.ReadFile(e.proc("maps"))
	return bytes.Count(text, []byte("\n")), err
}

// Threads is how many threads the process has.
func (e *Engine) Threads() (int, error) { return e.entries("task") }

// Files is how many descriptors the process has.
func (e *Engine) Files() (int, error) { return e.entries("fd") }

func (e *Engine) entries(dir string) (int, error) {
	all, err := os.ReadDir(e.proc(dir))
	return len(all), err
}

func (e *Engine) proc(name string) string { return fmt.Sprintf("/proc/%d/%s", e.Pid(), name) }

// Stop ends the engine and returns what it wrote to its standard error.
func (e *Engine) Stop() (stderr string, err error) {
	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err = <-e.ended:
	case <-time.After(stopTimeout):
		_ = e.cmd.Process.Kill()
		err = fmt.Errorf("it did not end in time: %w", <-e.ended)
	}
	e.wait.Wait() // its end of the link is closed
	_ = e.link.Close()
	return e.stderr.String(), err
}
