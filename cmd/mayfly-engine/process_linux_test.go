package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/leak"
)

// runAsEngine makes this test binary an engine: the tests start it as the holder starts the real one.
const runAsEngine = "ENGINE_TEST_RUN_AS_ENGINE"

// cgroupFile is where such an engine finds the limit of memory, not in the cgroup that the tests run in.
const cgroupFile = "ENGINE_TEST_CGROUP_FILE"

// slowEngine makes such an engine one whose loading takes long.
const slowEngine = "ENGINE_TEST_SLOW"

func TestMain(m *testing.M) {
	if os.Getenv(runAsEngine) != "" {
		cgroupLimits = []string{"/nowhere", os.Getenv(cgroupFile)}
		if os.Getenv(slowEngine) != "" {
			slowAfter = 0
		}
		os.Exit(doMain(os.Args[1:]))
	}
	leak.Main(m)
}

// start says how to start an engine.
type start struct {
	guest    string
	module   string // a path, instead of guest
	env      []string
	args     []string // of the guest, behind its name
	listen   []*os.File
	conns    []*os.File
	flags    []string
	compiled *os.File // a directory
	stdin    *os.File
	stderr   *os.File // instead of process.stderr
}

// process is a running engine and the holder's end of its link.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	link   *control.Conn
	stdout bytes.Buffer
	stderr lockedBuffer
	heard  chan control.Message // closed when the link is
	ended  chan struct{}        // closed when the process is gone
	hung   bool
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (s start) run(t testing.TB) *process {
	t.Helper()
	ours, theirs, err := control.Pair()
	if err != nil {
		t.Fatal(err)
	}
	status := os.NewFile(uintptr(theirs.Fd()), "status") // theirs is not used but for its descriptor
	module := s.module
	if module == "" {
		module = filepath.Join(t.TempDir(), "app.wasm")
		if err := os.WriteFile(module, guests.Wasm(s.guest), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-status", "3"}
	files := []*os.File{status}
	add := func(flag string, fs []*os.File) {
		var fds []string
		for _, f := range fs {
			fds = append(fds, strconv.Itoa(3+len(files)))
			files = append(files, f)
		}
		if len(fds) > 0 {
			args = append(args, flag, strings.Join(fds, ","))
		}
	}
	add("-listen", s.listen)
	add("-conn", s.conns)
	if s.compiled != nil {
		add("-compiled", []*os.File{s.compiled})
	}
	args = append(append(append(args, s.flags...), "-module", module, "--", "app"), s.args...)

	p := &process{t: t, cmd: exec.Command(os.Args[0], args...), link: ours, heard: make(chan control.Message, 100), ended: make(chan struct{})}
	p.cmd.Env = append(append(os.Environ(), runAsEngine+"=1"), s.env...)
	p.cmd.ExtraFiles = files
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if s.stdin != nil {
		p.cmd.Stdin = s.stdin
	}
	if s.stderr != nil {
		p.cmd.Stderr = s.stderr
	}
	err = p.cmd.Start()
	_ = status.Close()
	if err != nil {
		ours.Close()
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		_ = p.cmd.Wait()
		close(p.ended)
	})
	wait.Go(func() {
		defer close(p.heard)
		for {
			m, _, err := ours.Recv()
			if err != nil {
				return
			}
			p.heard <- m
		}
	})
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		if !p.hung {
			p.hangUp()
		}
		wait.Wait()
		if t.Failed() {
			t.Logf("stderr of the engine:\n%s", p.stderr.String())
		}
	})
	return p
}

// hangUp is the end of the holder.
func (p *process) hangUp() {
	p.hung = true
	_ = p.link.Close()
}

// next returns the next message that is no beat.
func (p *process) next() control.Message {
	p.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case m, ok := <-p.heard:
			if !ok {
				p.t.Fatal("the engine hung up")
			}
			if m.Kind != control.Beat {
				return m
			}
		case <-timeout:
			p.t.Fatal("the engine says nothing")
		}
	}
}

func (p *process) expect(kinds ...control.Kind) {
	p.t.Helper()
	for _, k := range kinds {
		if m := p.next(); m.Kind != k {
			p.t.Fatalf("the engine said %d %q, want %d", m.Kind, m.Text, k)
		}
	}
}

// exit waits for the end of the process and returns its exit code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.t.Fatal("the engine does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// port is a listening socket as the holder has it.
type port struct {
	file *os.File
	addr string
}

func listen(t testing.TB) port {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return port{f, l.Addr().String()}
}
