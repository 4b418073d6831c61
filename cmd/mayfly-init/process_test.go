//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/internal/testprogram"
)

// The holder is tested as a process. Its engine is this test binary, which plays one part at a time, named by MAYFLY_PART.
func TestMain(m *testing.M) {
	if part := os.Getenv("MAYFLY_PART"); part != "" {
		os.Exit(playEngine(part))
	}
	leak.Main(m)
}

const enginePart = "MAYFLY_PART="

// holderBinary is the holder. What it expects is in its working directory, which is each test's own.
var holderBinary = testprogram.Once("-ldflags", "-X main.socketPath=control -X main.enginePath=./engine -X main.oomCountV1=none -X main.oomCountV2=oom", ".")

// holderProcess is a running holder, seen from the shim.
type holderProcess struct {
	*exec.Cmd
	answer   control.Message // how the first start went
	address  net.Addr        // where its sidecar listens
	tools    string          // where it answers tools
	engine   string          // the engine's program
	listener socket
	log      *logged
}

// socket is a listening socket.
type socket interface {
	net.Listener
	syscall.Conn
	File() (*os.File, error)
}

// logged is what the holder and its engines write, and can be read meanwhile.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startHolder starts a holder whose engines play part, in a container with env.
func startHolder(t *testing.T, part string, env ...string) *holderProcess {
	t.Helper()
	return startHolderOn(t, "unix", filepath.Join(t.TempDir(), "s"), part, env...)
}

// startHolderOn is startHolder for a sidecar that listens on an address of a network.
func startHolderOn(t *testing.T, network, address, part string, env ...string) *holderProcess {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "holder")
	holderBinary(t, bin)
	p := &holderProcess{
		Cmd: exec.Command(bin, "-module", "/app.wasm"), tools: filepath.Join(dir, "control"), engine: filepath.Join(dir, "engine"), log: &logged{},
	}
	if err := os.Symlink(self, p.engine); err != nil {
		t.Fatal(err)
	}
	shim, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: p.tools, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	shim.SetUnlinkOnClose(false) // it is the holder's then
	defer shim.Close()
	p.Dir, p.Env, p.Stderr = dir, append(append(os.Environ(), env...), enginePart+part), p.log
	p.WaitDelay = time.Second // engines may have the log open still
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.Cmd.Wait() })
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p.listener, p.address = l.(socket), l.Addr()
	compiled, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer compiled.Close()
	p.answer = handshake(t, shim, p.listener, compiled)
	return p
}

// handshake plays the shim's side.
func handshake(t *testing.T, shim *net.UnixListener, listener socket, compiled *os.File) control.Message {
	t.Helper()
	shim.SetDeadline(time.Now().Add(10 * time.Second))
	c, err := shim.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, control.MaxMessage)
	receive := func() control.Message {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		m, err := control.Parse(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := receive(); m.Kind != control.Hello {
		t.Fatalf("the holder greets with %+v", m)
	}
	f, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tools, err := shim.File()
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	m := control.Append(nil, control.Message{Kind: control.Listen, Text: control.Compiled + " of-the-future " + control.Tools})
	rights := unix.UnixRights(int(f.Fd()), int(compiled.Fd()), int(compiled.Fd()), int(tools.Fd()))
	if _, _, err := c.WriteMsgUnix(m, rights, nil); err != nil {
		t.Fatal(err)
	}
	return receive()
}

// dial connects to the sidecar, with time enough for whatever is to follow.
func (p *holderProcess) dial(t *testing.T) conn {
	t.Helper()
	c, err := net.Dial(p.address.Network(), p.address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(conn)
}

// conn is a client's connection.
type conn interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// ask sends one request and returns the pid of the engine that answered.
func (p *holderProcess) ask(t *testing.T) string {
	t.Helper()
	c := p.dial(t)
	defer c.Close()
	fmt.Fprintln(c, "who?")
	answer, err := io.ReadAll(c)
	if err != nil || len(answer) == 0 {
		t.Fatalf("no answer: %q, %v; log: %s", answer, err, p.log)
	}
	return string(answer)
}

// starts is how many engines there have been.
func (p *holderProcess) starts() int {
	info, err := os.Stat(filepath.Join(p.Dir, startsFile))
	if err != nil {
		return 0
	}
	return int(info.Size())
}

// engines counts the holder's children.
func (p *holderProcess) engines(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.Process.Pid, p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(strings.Fields(string(b)))
}

// waitForEngines waits, longer than the watchdog does, until there are n.
func (p *holderProcess) waitForEngines(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(2 * maxQuiet); p.engines(t) != n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("there are %d engines, want %d; log: %s", p.engines(t), n, p.log)
		}
	}
}

// exitCode waits for the holder to end.
func (p *holderProcess) exitCode(t *testing.T) int {
	t.Helper()
	timer := time.AfterFunc(10*time.Second, func() { p.Process.Kill() })
	defer timer.Stop()
	p.Wait()
	return p.ProcessState.ExitCode()
}

// mustRest fails the test when the holder uses much of a processor for a while.
func (p *holderProcess) mustRest(t *testing.T) {
	t.Helper()
	const while = time.Second
	before := p.used(t)
	time.Sleep(while)
	if used := p.used(t) - before; used > while/4 {
		t.Errorf("the holder used %s of processor time in %s; log: %s", used, while, p.log)
	}
}

// used is the processor time the holder has used.
func (p *holderProcess) used(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	var user, system int
	fmt.Sscan(fields[11], &user)
	fmt.Sscan(fields[12], &system)
	return time.Duration(user+system) * (time.Second / 100) // USER_HZ
}

// allowFiles sets how many descriptors the holder may have.
func (p *holderProcess) allowFiles(t *testing.T, n uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: n, Max: 1 << 10}
	if err := unix.Prlimit(p.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}
