package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

// served is a `mayfly serve` that runs.
type served struct {
	urls   []string
	stop   context.CancelFunc
	code   chan int
	stderr *lockedBuffer
}

// lockedBuffer is written by a server and read by a test.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// serve starts the command line and waits until n files are served.
func serve(t *testing.T, n int, args ...string) *served {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	s := &served{stop: stop, code: make(chan int, 1), stderr: &lockedBuffer{}}
	go func() {
		s.code <- execute(ctx, append([]string{"serve"}, args...), strings.NewReader(""), stdout, s.stderr)
		stdout.Close()
	}()
	lines := bufio.NewScanner(out)
	for range n {
		if !lines.Scan() {
			t.Fatalf("serve ended: %s", s.stderr)
		}
		fields := strings.Fields(lines.Text())
		s.urls = append(s.urls, fields[len(fields)-1])
	}
	t.Cleanup(func() { s.end(t) })
	return s
}

// end stops the server as Ctrl-C does and waits for it.
func (s *served) end(t *testing.T) {
	t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		s.code <- code
		if code != 0 {
			t.Errorf("exit %d: %s", code, s.stderr)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("serve does not end")
	}
}

// begin sends a request and returns once the head of its answer is here.
func begin(t *testing.T, url string) *http.Response {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func ask(t *testing.T, url string) string {
	t.Helper()
	answer := begin(t, url)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s answers %s: %s", url, answer.Status, body)
	}
	return string(body)
}

// freePort is a port that nobody had a moment ago, with a free one above it.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if next, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port+1)); err == nil {
			next.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func run(t *testing.T, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	if code := doMain(args, nil, io.Discard, &stderr); code != 0 {
		t.Fatalf("mayfly %v: exit %d: %s", args, code, stderr.String())
	}
}

func TestServeAnswersFromFreshInstances(t *testing.T) {
	inGuestsDirectory(t)
	s := serve(t, 1, "counter.wasm", "--listen", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	for range 3 {
		if got := strings.TrimSpace(ask(t, s.urls[0])); got != "1" {
			t.Errorf("the guest counts %q, want 1 each time", got)
		}
	}
}

func TestServeAnswersWithAComponent(t *testing.T) {
	inGuestsDirectory(t)
	writeComponent(t, "http", "app.wasm")
	run(t, "build", "app.wasm", "-t", "app:v1")
	s := serve(t, 2, "app.wasm", "app.tar", "--listen", fmt.Sprintf("localhost:%d", freePort(t)), "-e", "GREETING=hi")
	for _, url := range s.urls {
		if got := ask(t, url+"/hello"); got != "hello\n" {
			t.Errorf("%s/hello answers %q", url, got)
		}
		if got := ask(t, url+"/env"); !strings.Contains(got, "GREETING=hi") || strings.Contains(got, "MAYFLY_") {
			t.Errorf("%s/env answers %q", url, got)
		}
	}
}

func TestServeSeveralEachOnItsPort(t *testing.T) {
	inGuestsDirectory(t)
	run(t, "build", "args.wasm", "-t", "args:v1")
	port := freePort(t)
	s := serve(t, 2, "hello.wasm", "args.tar", "--listen", fmt.Sprintf("localhost:%d", port), "--", "one")
	if want := fmt.Sprintf("http://localhost:%d http://localhost:%d", port, port+1); strings.Join(s.urls, " ") != want {
		t.Errorf("served at %v, want %s", s.urls, want)
	}
	if got := ask(t, s.urls[0]); !strings.HasPrefix(got, "hello") {
		t.Errorf("the first answers %q", got)
	}
	if got := ask(t, s.urls[1]); got != "/args.wasm\none\n" {
		t.Errorf("the second has the arguments %q", got)
	}
}

func TestServeGivesTheGuestItsVariablesOnly(t *testing.T) {
	inGuestsDirectory(t)
	t.Setenv("SECRET", "of the shell")
	run(t, "build", "env.wasm", "-t", "env:v1", "-e", "FROM_IMAGE=1", "-e", "GREETING=image")
	s := serve(t, 1, "env.tar", "--listen", fmt.Sprintf("localhost:%d", freePort(t)), "-e", "GREETING=flag")
	got := ask(t, s.urls[0])
	for _, want := range []string{"FROM_IMAGE=1\n", "GREETING=flag\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the guest does not see %q in %q", want, got)
		}
	}
	for _, not := range []string{"SECRET", "MAYFLY_", "GREETING=image"} {
		if strings.Contains(got, not) {
			t.Errorf("the guest sees %s in %q", not, got)
		}
	}
}

func TestServeGivesTheGuestItsFiles(t *testing.T) {
	inGuestsDirectory(t)
	run(t, "build", "read-file.wasm", "-t", "r:v1", "--file", "site:/www")
	run(t, "build", "write-file.wasm", "-t", "w:v1")
	for _, dir := range []string{"data", "safe"} {
		if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(dir+"/note", []byte("noted"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, 2, "read-file.tar", "write-file.tar", "--listen", fmt.Sprintf("localhost:%d", freePort(t)),
		"--dir", "data:/data", "--dir", "safe:/safe:ro")
	if got := ask(t, s.urls[0]+"/?path=/www/index.html"); got != "<p>hi\n" {
		t.Errorf("the image's file is %q", got)
	}
	if got := ask(t, s.urls[0]+"/?path=/data/note"); got != "noted" {
		t.Errorf("the directory's file is %q", got)
	}
	ask(t, s.urls[1]+"/?path=/data/new&text=written")
	if p, err := os.ReadFile("data/new"); err != nil || string(p) != "written" {
		t.Errorf("the guest's file is %q (%v)", p, err)
	}
	answer := begin(t, s.urls[1]+"/?path=/safe/note&text=changed")
	defer answer.Body.Close()
	if p, err := os.ReadFile("safe/note"); err != nil || string(p) != "noted" || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a read-only directory's file is now %q (%v), the answer was %s", p, err, answer.Status)
	}
}

func TestServeFinishesRequestsInFlight(t *testing.T) {
	inGuestsDirectory(t)
	s := serve(t, 1, "slow-out.wasm", "--listen", fmt.Sprintf("localhost:%d", freePort(t)))
	answer := begin(t, s.urls[0]+"/?n=5&ms=50")
	defer answer.Body.Close()
	s.stop() // the head is here, the body is not
	body, err := io.ReadAll(answer.Body)
	if err != nil || len(body) != 5 {
		t.Errorf("the request in flight was answered %q (%v), want 5 bytes", body, err)
	}
}

func TestServeSaysWhoseAddressIsTaken(t *testing.T) {
	inGuestsDirectory(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stderr bytes.Buffer
	code := doMain([]string{"serve", "hello.wasm", "--listen", l.Addr().String()}, nil, io.Discard, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), "in use by another program") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}

func TestConfigureLetsTheNearestWin(t *testing.T) {
	o := options{env: []string{"MAYFLY_TIMEOUT=3s"}, memory: "1Mi"}
	s := &site{source: &source{}}
	flags := func(name string) bool { return name == "memory" }
	shell := []string{"MAYFLY_TIMEOUT=2s", "MAYFLY_MEMORY=2Mi", "MAYFLY_MAX_INSTANCES=7", "HOME=/root"}
	if err := o.configure(s, flags, shell); err != nil {
		t.Fatal(err)
	}
	c := s.sidecar
	if c.Timeout != 3*time.Second || c.Memory != 1<<20 || c.MaxInstances != 7 {
		t.Errorf("timeout %s, memory %d, instances %d: want 3s of --env, 1Mi of the flag, 7 of the shell", c.Timeout, c.Memory, c.MaxInstances)
	}
	if c.Trigger != config.TriggerHTTP || c.IdleTimeout != config.Never || c.Listen[0].String() != "127.0.0.1:8080" {
		t.Errorf("trigger %s, idle timeout %s, at %s", c.Trigger, c.IdleTimeout, c.Listen[0])
	}
	if len(s.guestEnv) != 1 {
		t.Errorf("the guest sees %v", config.GuestEnv(s.guestEnv))
	}
}

func TestAMisspeltSettingIsFoundWhereverItIsSaid(t *testing.T) {
	o := options{env: []string{"MAYFLY_TIMOUT=3s", "GREETING=hi"}}
	said := v1.Config{Env: []string{"MAYFLY_MEMRY=1Mi", "MAYFLY_TRIGGER=http"}}
	s := &site{source: &source{image: &ociimage.Archive{Config: said}}}
	if err := o.configure(s, func(string) bool { return false }, []string{"MAYFLY_MAXBODY=1Gi", "HOME=/root"}); err != nil {
		t.Fatal(err)
	}
	if len(s.unknown) != 3 {
		t.Fatalf("found %q, want three", s.unknown)
	}
	for i, want := range []string{"MAYFLY_MAXBODY", "MAYFLY_MEMRY", "MAYFLY_TIMOUT"} {
		if !strings.HasPrefix(s.unknown[i], want+": ") {
			t.Errorf("%q is not about %s", s.unknown[i], want)
		}
	}
}

func TestServeRefusesAnOrdinaryImage(t *testing.T) {
	t.Chdir(t.TempDir())
	linuxImage(t, "shell.tar")
	var stdout, stderr bytes.Buffer
	if code := doMain([]string{"serve", "shell.tar"}, nil, &stdout, &stderr); code != exitFailure {
		t.Fatalf("exit %d", code)
	}
	if !strings.Contains(stderr.String(), "ordinary Linux program") {
		t.Errorf("said %q", stderr.String())
	}
}

func TestAnImageChoosesItsPortButNotTheAddress(t *testing.T) {
	for _, c := range []struct{ listen, want string }{
		{":9000", "127.0.0.1:9000 [::1]:9000"},
		{"10.1.2.3:9000", "127.0.0.1:9000 [::1]:9000"},
		{"unix:/run/app.sock", "127.0.0.1:8080 [::1]:8080"},
	} {
		s := &site{source: &source{image: &ociimage.Archive{Config: v1.Config{Env: []string{"MAYFLY_LISTEN=" + c.listen}}}}}
		if err := new(options).configure(s, func(string) bool { return false }, nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range s.sidecar.Listen {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("an image that says %s is at %v, want %s", c.listen, got, c.want)
		}
		o := options{listen: "0.0.0.0:9001"}
		if err := o.configure(s, func(flag string) bool { return flag == "listen" }, nil); err != nil {
			t.Fatal(err)
		}
		if got := s.sidecar.Listen[0].String(); got != "0.0.0.0:9001" {
			t.Errorf("with --listen it is at %s", got)
		}
	}
}
