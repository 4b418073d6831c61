//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// The holder is tested as a process. Its engine is this test binary, which plays one part at a time, named by MAYFLY_PART.
func TestMain(m *testing.M) {
	if part := os.Getenv("MAYFLY_PART"); part != "" {
		os.Exit(playEngine(part))
	}
	os.Exit(m.Run())
}

// playEngine answers each connection with its pid, as the engine of a sidecar would, and leaves as its part says.
func playEngine(part string) int {
	status := control.NewConn(3)
	switch part {
	case "refuses":
		status.Send(control.Message{Kind: control.Error, Text: "no such app"})
		return 1
	case "dies early":
		return 7
	case "command":
		status.Send(control.Message{Kind: control.Final})
		status.Send(control.Message{Kind: control.Ready})
		return 42
	case "talks nonsense":
		unix.Write(3, []byte("nonsense"))
		select {}
	}
	listener, first := sockets()
	status.Send(control.Message{Kind: control.Ready})
	if part == "falls silent" {
		select {}
	}
	serve := func(c net.Conn) {
		_, _ = bufio.NewReader(c).ReadString('\n')
		fmt.Fprintf(c, "%d\n", os.Getpid())
		c.Close()
		if part == "crashes" {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	for _, c := range first {
		go serve(c)
	}
	for {
		if part == "goes idle" {
			listener.(*net.UnixListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
		}
		c, err := listener.Accept()
		if err != nil {
			status.Send(control.Message{Kind: control.Idle})
			return 0
		}
		go serve(c)
	}
}

// sockets opens what -listen and -conn name.
func sockets() (net.Listener, []net.Conn) {
	var listener net.Listener
	var conns []net.Conn
	for i, arg := range os.Args {
		if arg != "-listen" && arg != "-conn" {
			continue
		}
		for _, n := range strings.Split(os.Args[i+1], ",") {
			var fd int
			fmt.Sscan(n, &fd)
			f := os.NewFile(uintptr(fd), n)
			if arg == "-listen" {
				listener, _ = net.FileListener(f)
			} else {
				c, _ := net.FileConn(f)
				conns = append(conns, c)
			}
			f.Close()
		}
	}
	return listener, conns
}

// holderProcess is a running holder, seen from the shim.
type holderProcess struct {
	*exec.Cmd
	answer control.Message // how the first start went
	socket string          // where its sidecar listens
	stderr *strings.Builder
}

func startHolder(t *testing.T, part string) *holderProcess {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	control_, bin := filepath.Join(dir, "c"), filepath.Join(dir, "holder")
	build := exec.Command("go", "build", "-o", bin, "-ldflags", "-X main.socketPath="+control_+" -X main.enginePath="+self, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	shim, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: control_, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	defer shim.Close()
	p := &holderProcess{Cmd: exec.Command(bin, "-module", "/app.wasm"), socket: filepath.Join(dir, "s"), stderr: &strings.Builder{}}
	p.Env = append(os.Environ(), "MAYFLY_PART="+part)
	p.Stderr = p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.Cmd.Wait() })
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p.answer = handshake(t, shim, listener)
	return p
}

// handshake plays the shim's side.
func handshake(t *testing.T, shim *net.UnixListener, listener net.Listener) control.Message {
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
	f, err := listener.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, _, err := c.WriteMsgUnix(control.Append(nil, control.Message{Kind: control.Listen}), unix.UnixRights(int(f.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	return receive()
}

// ask sends one request and returns the pid of the engine that answered.
func (p *holderProcess) ask(t *testing.T) string {
	t.Helper()
	c, err := net.Dial("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(c, "who?")
	answer, err := io.ReadAll(c)
	if err != nil || len(answer) == 0 {
		t.Fatalf("no answer: %q, %v", answer, err)
	}
	return string(answer)
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
	for deadline := time.Now().Add(2 * maxQuiet * beatWait); p.engines(t) != n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("there are %d engines, want %d", p.engines(t), n)
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

func TestHowTheFirstStartWentIsTold(t *testing.T) {
	for _, tc := range []struct {
		part string
		want control.Kind
		text string
		code int
	}{
		{"refuses", control.Error, "no such app", 1},
		{"dies early", control.Error, "exited with status 7 before it was ready", 1},
		{"talks nonsense", control.Error, "before it was ready", 1},
		{"command", control.Ready, "", 42},
	} {
		t.Run(tc.part, func(t *testing.T) {
			p := startHolder(t, tc.part)
			if p.answer.Kind != tc.want || !strings.Contains(p.answer.Text, tc.text) {
				t.Errorf("the shim heard %+v", p.answer)
			}
			if code := p.exitCode(t); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
		})
	}
}

func TestAnIdleEngineIsStartedAgainByTheFirstByte(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	// A connection that says nothing, and one that leaves, wake nobody.
	quiet, err := net.Dial("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	leaver, err := net.Dial("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	leaver.Close()
	time.Sleep(100 * time.Millisecond)
	if n := p.engines(t); n != 0 {
		t.Fatalf("%d engines were woken by silence", n)
	}
	first := p.ask(t)
	p.waitForEngines(t, 0)
	if second := p.ask(t); second == first {
		t.Errorf("engine %s answered twice, though it had gone", first)
	}
}

func TestASilentConnectionIsServedWhenItSpeaks(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	c, err := net.Dial("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	time.Sleep(50 * time.Millisecond)
	fmt.Fprintln(c, "hello at last")
	if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
		t.Errorf("no answer: %q, %v", answer, err)
	}
}

func TestADeadEngineIsReplaced(t *testing.T) {
	p := startHolder(t, "crashes")
	seen := map[string]bool{}
	for range 4 {
		seen[p.ask(t)] = true
		p.waitForEngines(t, 0)
	}
	if len(seen) != 4 {
		t.Errorf("4 requests were answered by %d engines", len(seen))
	}
	p.Process.Signal(syscall.SIGTERM)
	if code := p.exitCode(t); code != 0 {
		t.Errorf("exit code %d after a clean stop", code)
	}
	if log := p.stderr.String(); !strings.Contains(log, "was killed (signal 9") {
		t.Errorf("the log does not say why: %s", log)
	}
}

func TestASilentEngineIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the watchdog's patience")
	}
	p := startHolder(t, "falls silent")
	p.waitForEngines(t, 1)
	p.waitForEngines(t, 0)
}

func TestStopPassesToTheEngine(t *testing.T) {
	p := startHolder(t, "stays")
	p.ask(t)
	p.Process.Signal(syscall.SIGTERM)
	// The part has no handler: it dies of the signal, and the container reports it as a shell would.
	if code := p.exitCode(t); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
}

func TestTheEngineDiesWithTheHolder(t *testing.T) {
	p := startHolder(t, "stays")
	pid := strings.TrimSpace(p.ask(t))
	p.Process.Kill()
	p.Wait()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(b), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the engine outlived its holder")
		}
	}
}
