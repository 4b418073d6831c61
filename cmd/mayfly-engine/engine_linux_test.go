package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/control"
)

var httpEnv = []string{"MAYFLY_TRIGGER=http", "MAYFLY_IDLE_TIMEOUT=never"}

// serve starts an engine with an address of its own and waits until it is ready.
func serve(t testing.TB, guest string, env ...string) (*process, port) {
	t.Helper()
	at := listen(t)
	p := start{guest: guest, env: append(slices.Clone(httpEnv), env...), listen: []*os.File{at.file}}.run(t)
	p.expect(control.Ready)
	return p, at
}

// get asks over a connection of its own.
func (p port) get(path string) (status int, body string, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	res, err := client.Get("http://" + p.addr + path)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func TestItServesUntilSIGTERM(t *testing.T) {
	p, at := serve(t, "hello")
	if code, body, err := at.get("/"); code != 200 || body != "hello\n" {
		t.Errorf("got %d %q, %v", code, body, err)
	}
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.stderr.String(), "stopped finished=0 cut=0") {
		t.Error("the log does not tell")
	}
}

func TestSIGTERMLetsRequestsFinishAndASecondCutsThem(t *testing.T) {
	for _, tc := range []struct {
		name    string
		ms      int
		signals int
		status  int
		log     string
	}{
		{"one", 500, 1, 200, "stopped finished=1 cut=0"},
		{"two", 60_000, 2, 503, "stopped finished=0 cut=1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, at := serve(t, "sleep", "MAYFLY_DRAIN_TIMEOUT=10s", "MAYFLY_LOG_LEVEL=debug")
			got := make(chan int, 1)
			go func() {
				code, _, _ := at.get(fmt.Sprintf("/?ms=%d", tc.ms))
				got <- code
			}()
			time.Sleep(200 * time.Millisecond) // until it is in flight
			for range tc.signals {
				p.signal(syscall.SIGTERM)
				time.Sleep(100 * time.Millisecond) // two at once are one
			}
			if code := <-got; code != tc.status {
				t.Errorf("got %d, want %d", code, tc.status)
			}
			if code := p.exit(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(p.stderr.String(), tc.log) {
				t.Error("the log does not tell")
			}
		})
	}
}

func TestALogThatNobodyReadsHoldsUpNobody(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	at := listen(t)
	p := start{
		guest: "stderr-flood", listen: []*os.File{at.file}, stderr: w,
		env: append(slices.Clone(httpEnv), "MAYFLY_TIMEOUT=5s", "MAYFLY_DRAIN_TIMEOUT=5s", "MAYFLY_LOG_LEVEL=debug"),
	}.run(t)
	p.expect(control.Ready)
	for range 6 { // 1.8 MB: more than pipe and buffer
		begin := time.Now()
		code, body, err := at.get("/?n=300000")
		if took := time.Since(begin); code != 200 || took > 5*time.Second {
			t.Fatalf("got %d %q, %v after %s", code, body, err, took)
		}
	}
	begin := time.Now()
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("SIGTERM took %s", took)
	}
}

func TestACommandEndsAlsoWhenNobodyReadsItsLog(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	p := start{guest: "stderr-flood", env: []string{"MAYFLY_LOG_LEVEL=debug"}, stderr: w}.run(t)
	p.expect(control.Final, control.Ready)
	time.Sleep(200 * time.Millisecond) // until its write is stuck
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 143 {
		t.Errorf("exit code %d", code)
	}
}

func TestItSaysWhyItCannotStart(t *testing.T) {
	empty := t.TempDir()
	fifo := filepath.Join(empty, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(empty, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<30); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, guest, module string
		env                 []string
		limit               string
		want                string
	}{
		{"an empty module", "empty", "", nil, "0", "empty"},
		{"no module", "not-wasm", "", nil, "0", "not a WebAssembly module"},
		{"half a module", "truncated", "", nil, "0", "malformed"},
		{"an invalid module", "malformed", "", nil, "0", "malformed"},
		{"a component", "component", "", nil, "0", "it exports nothing"},
		{"an unknown import", "unknown-import", "", nil, "0", `"env"."launch_rocket"`},
		{"too much memory", "big-memory", "", nil, "0", "memory"},
		{"no _start", "no-start", "", nil, "0", "_start"},
		{"a _start with an argument", "bad-start", "", nil, "0", "_start"},
		{"a start section that traps", "start-traps", "", nil, "0", "start function"},
		{"a start section that spins", "start-spins", "", nil, "0", "start function"},
		{"no file", "", "/no/such.wasm", nil, "0", "/no/such.wasm: no such file"},
		{"a directory", "", empty, nil, "0", "directory"},
		{"a pipe", "", fifo, nil, "0", "not a regular file"},
		{"a gigabyte of zeroes", "", large, nil, "0", "1024 MiB"},
		{"a variable", "hello", "", []string{"MAYFLY_TIMEOUT=soon"}, "0", `MAYFLY_TIMEOUT="soon"`},
		{"a trigger that is not there yet", "hello", "", []string{"MAYFLY_TRIGGER=schedule=@every 5s"}, "0", "schedule"},
		{"http without a socket", "hello", "", nil, "0", "no listening socket"},
		{"more initial memory than the container has", "big-memory", "", []string{"MAYFLY_MEMORY=2Gi"}, "67108864", "memory limit"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := listen(t)
			s := start{guest: tc.guest, module: tc.module, env: append(slices.Clone(httpEnv), tc.env...), flags: []string{"-memory-limit", tc.limit}}
			if !strings.HasPrefix(tc.name, "http without") {
				s.listen = []*os.File{at.file}
			}
			p := s.run(t)
			m := p.next()
			if m.Kind != control.Error || !strings.Contains(m.Text, tc.want) || strings.Contains(m.Text, "\n") {
				t.Errorf("the engine said %d %q, want an error with %q", m.Kind, m.Text, tc.want)
			}
			if code := p.exit(); code != 1 {
				t.Errorf("exit code %d", code)
			}
			t.Log(m.Text)
		})
	}
}

func TestItBeats(t *testing.T) {
	p, _ := serve(t, "hello")
	begin := time.Now()
	for range 2 {
		select {
		case m := <-p.heard:
			if m.Kind != control.Beat {
				t.Errorf("heard %v", m)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no beat")
		}
	}
	if d := time.Since(begin); d < 500*time.Millisecond {
		t.Errorf("two beats in %s", d)
	}
}

func TestWhenIdleItLeavesAndTheNextEngineTakesTheConnection(t *testing.T) {
	at := listen(t)
	s := start{guest: "hello", env: []string{"MAYFLY_TRIGGER=http", "MAYFLY_IDLE_TIMEOUT=100ms"}, listen: []*os.File{at.file}}
	p := s.run(t)
	p.expect(control.Ready, control.Idle)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	got := make(chan string, 1)
	go func() {
		_, body, err := at.get("/")
		got <- fmt.Sprint(body, err)
	}()
	time.Sleep(50 * time.Millisecond) // it connects while there is no engine
	s.run(t).expect(control.Ready)
	if body := <-got; body != "hello\n<nil>" {
		t.Errorf("got %q", body)
	}
}

func TestItServesConnectionsItWasGiven(t *testing.T) {
	at := listen(t)
	client, err := net.Dial("tcp", at.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	l, err := net.FileListener(at.file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	f, err := accepted.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	p := start{guest: "hello", env: []string{"MAYFLY_TRIGGER=http", "MAYFLY_IDLE_TIMEOUT=0"}, listen: []*os.File{at.file}, conns: []*os.File{f}}.run(t)
	p.expect(control.Ready, control.Idle)
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	answer := make([]byte, 1000)
	n, _ := client.Read(answer)
	if !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 200") {
		t.Errorf("got %q", answer[:n])
	}
}

func TestASlowEngineTakesThoseWhoCameMeanwhile(t *testing.T) {
	at := listen(t)
	p := start{
		guest: "hello", env: []string{"MAYFLY_TRIGGER=http", "MAYFLY_IDLE_TIMEOUT=0", slowEngine + "=1"}, flags: []string{"-take"}, listen: []*os.File{at.file},
	}.run(t)
	p.expect(control.Slow)
	l, err := net.FileListener(at.file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var clients []net.Conn
	hand := func(text, request string) {
		client, err := net.Dial("tcp", at.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { clients = append(clients, client) }()
		fmt.Fprint(client, request)
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer accepted.Close()
		f, err := accepted.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := p.link.Send(control.Message{Kind: control.Take, Text: text}, int(f.Fd())); err != nil {
			t.Fatal(err)
		}
	}
	p.expect(control.Ready)
	// It has nothing to do and would leave, but for those it is told to wait for.
	hand("", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	hand(control.Greeted, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00"+
		"\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84") // GET http /
	if err := p.link.Send(control.Message{Kind: control.Take}); err != nil {
		t.Fatal(err)
	}
	for i, client := range clients {
		_ = client.SetDeadline(time.Now().Add(20 * time.Second))
		answer, err := io.ReadAll(client)
		_ = client.Close()
		if err != nil || !strings.Contains(string(answer), "hello") {
			t.Errorf("client %d got %q, %v", i, answer, err)
		}
	}
	p.expect(control.Idle)
}

func TestKilledItLosesNoConnectionThatWaits(t *testing.T) {
	p, at := serve(t, "hello")
	p.signal(syscall.SIGKILL)
	p.exit()
	got := make(chan int, 1)
	go func() {
		code, _, _ := at.get("/")
		got <- code
	}()
	start{guest: "hello", env: httpEnv, listen: []*os.File{at.file}}.run(t).expect(control.Ready)
	if code := <-got; code != 200 {
		t.Errorf("got %d", code)
	}
}

func TestWithoutItsHolderItEnds(t *testing.T) {
	p, at := serve(t, "sleep")
	got := make(chan struct{})
	go func() {
		defer close(got)
		_, _, _ = at.get("/?ms=60000")
	}()
	time.Sleep(100 * time.Millisecond)
	p.hangUp()
	if code := p.exit(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	<-got
}

func TestTheGuestSeesTheContainerButNotMayfly(t *testing.T) {
	_, at := serve(t, "env", "FROM_THE_POD=yes", "MAYFLY_SERVER_TIMING=1")
	if _, body, err := at.get("/"); !strings.Contains(body, "\nFROM_THE_POD=yes\n") || strings.Contains(body, "MAYFLY_") {
		t.Errorf("the guest sees %v:\n%s", err, body)
	}
	_, at = serve(t, "list-dir")
	if _, body, err := at.get("/?path=/"); !strings.Contains(body, "\netc") && !strings.Contains(body, "etc/\n") || strings.Contains(body, "proc/") {
		t.Errorf("the guest sees %v:\n%s", err, body)
	}
}

func TestLinesAreJSONOnDemand(t *testing.T) {
	p, at := serve(t, "stderr", "MAYFLY_LOG=json")
	if _, _, err := at.get("/"); err != nil {
		t.Error(err)
	}
	p.signal(syscall.SIGTERM)
	p.exit()
	text := p.stderr.String()
	for line := range strings.Lines(text) {
		var v struct{ Time, Msg string }
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Time == "" || v.Msg == "" {
			t.Errorf("%v: %s", err, line)
		}
	}
	if !strings.Contains(text, `"msg":"partial last line"`) || !strings.Contains(text, `"msg":"ready"`) {
		t.Errorf("lines are missing:\n%s", text)
	}
}

func TestComputingGuestsHoldUpNobody(t *testing.T) {
	const timeout = 2 * time.Second
	p, at := serve(t, "compute", "MAYFLY_TIMEOUT="+timeout.String(), "GOGC=5")
	_, undisturbed := times(t, at, 200)
	type end struct {
		code int
		took time.Duration
	}
	ends := make(chan end, 4)
	for range cap(ends) {
		go func() {
			begin := time.Now()
			code, _, _ := at.get("/?millions=1000000")
			ends <- end{code, time.Since(begin)}
		}()
	}
	time.Sleep(100 * time.Millisecond) // until all compute
	p50, p99 := times(t, at, 100)
	var late time.Duration
	for range cap(ends) {
		e := <-ends
		if e.code != 504 {
			t.Errorf("a computing guest: %d", e.code)
		}
		late = max(late, e.took-timeout)
	}
	t.Logf("beside four that compute: p50 %s, p99 %s (undisturbed %s); the deadline was missed by %s", p50, p99, undisturbed, late)
	// The aims are 20 ms and 50 ms; a machine that tests run on has other work.
	if p99 > 500*time.Millisecond || late > 500*time.Millisecond {
		t.Error("computing guests hold up others")
	}
	p.signal(syscall.SIGTERM)
	p.exit()
}

// times measures n short requests.
func times(t *testing.T, at port, n int) (p50, p99 time.Duration) {
	t.Helper()
	var all []time.Duration
	for range n {
		begin := time.Now()
		if code, _, err := at.get("/?millions=0"); code != 200 {
			t.Fatalf("got %d, %v", code, err)
		}
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	return all[n/2], all[n*99/100]
}
