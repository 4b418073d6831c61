//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mayfly-run/mayfly/internal/control"
)

const probeHead = "GET /healthz HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nConnection: close\r\n\r\n"

// startProbed starts a holder that listens on TCP, where probes come.
func startProbed(t *testing.T, part string, env ...string) *holderProcess {
	t.Helper()
	return startHolderOn(t, "tcp", "127.0.0.1:0", part, env...)
}

// read reads an answer to a probe, which the holder does not end: that is for the client to do.
func read(t *testing.T, c io.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// probe asks as kubelet does.
func (p *holderProcess) probe(t *testing.T) (status int, sentence string) {
	t.Helper()
	c := p.dial(t)
	defer c.Close()
	io.WriteString(c, probeHead)
	res, body := read(t, c)
	if by := res.Header.Get("Mayfly-Probe"); by != "holder" {
		t.Fatalf("%q has answered: %v %s", by, res, body)
	}
	return res.StatusCode, body
}

// state is what a tool is told.
func (p *holderProcess) state(t *testing.T) control.Status {
	t.Helper()
	s, err := control.Ask(p.tools)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAProbeWakesNobody(t *testing.T) {
	p := startProbed(t, "goes idle")
	p.waitForEngines(t, 0)
	for range 10 {
		if status, sentence := p.probe(t); status != 200 || !strings.Contains(sentence, "sleeps") {
			t.Fatalf("a probe was told %d %s", status, sentence)
		}
	}
	conn, err := grpc.NewClient(p.address.String(), grpc.WithUserAgent("kube-probe/1.36"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	res, err := health.NewHealthClient(conn).Check(ctx, &health.HealthCheckRequest{})
	if err != nil || res.GetStatus() != health.HealthCheckResponse_SERVING {
		t.Errorf("a health check was told %v, %v", res.GetStatus(), err)
	}
	if s := p.state(t); p.starts() != 1 || s.Probes != 11 || s.Engines != 1 || s.Wakes != 0 || s.Doing != control.Asleep {
		t.Errorf("%d engines were started; a tool is told %+v", p.starts(), s)
	}
	p.ask(t)
	if s := p.state(t); s.Wakes != 1 {
		t.Errorf("after a request a tool is told %+v", s)
	}
}

func TestAHeadMayComeInPieces(t *testing.T) {
	for _, tc := range []struct {
		name, head, want string
		starts           int
	}{
		{"a probe", probeHead, "HTTP/1.1 200 OK\r\n", 1},
		{"a request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := startProbed(t, "goes idle")
			p.waitForEngines(t, 0)
			c := p.dial(t)
			for i := range len(tc.head) {
				if i == len(tc.head)-1 {
					if n := p.starts(); n != 1 {
						t.Fatalf("half a head has woken somebody")
					}
					p.mustRest(t)
				}
				io.WriteString(c, tc.head[i:i+1])
				time.Sleep(time.Millisecond)
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || tc.want != "" && line != tc.want || p.starts() != tc.starts {
				t.Errorf("got %q, %v from %d engines", line, err, p.starts())
			}
		})
	}
}

func TestAHeadThatIsTooLongIsForAnEngine(t *testing.T) {
	p := startProbed(t, "goes idle")
	p.waitForEngines(t, 0)
	c := p.dial(t)
	io.WriteString(c, "GET /")
	time.Sleep(20 * time.Millisecond)
	io.WriteString(c, strings.Repeat("a", 8<<10)+"\n")
	if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
		t.Errorf("no answer: %q, %v", answer, err)
	}
}

func TestAHeadThatBreaksOffWakesNobody(t *testing.T) {
	p := startProbed(t, "goes idle")
	p.waitForEngines(t, 0)
	for _, late := range []bool{false, true} {
		c := p.dial(t)
		io.WriteString(c, "GET /")
		if late {
			time.Sleep(20 * time.Millisecond)
		}
		c.CloseWrite()
		if answer, err := io.ReadAll(c); len(answer) != 0 || os.IsTimeout(err) {
			t.Errorf("the connection is not closed: %q, %v", answer, err)
		}
	}
	if n := p.starts(); n != 1 {
		t.Errorf("%d engines were started", n)
	}
}

func TestManyHalfHeadsAreNotInTheWay(t *testing.T) {
	p := startProbed(t, "goes idle")
	p.waitForEngines(t, 0)
	for range maxHesitant {
		io.WriteString(p.dial(t), "GET /")
	}
	for range 2 * maxIdlers {
		p.dial(t)
	}
	if status, _ := p.probe(t); status != 200 || p.starts() != 1 {
		t.Errorf("a probe was told %d, and %d engines were started", status, p.starts())
	}
	p.ask(t)
}

func TestAGreetedConnectionIsMarked(t *testing.T) {
	p := startProbed(t, "goes idle, then tells its arguments")
	p.waitForEngines(t, 0)
	c := p.dial(t)
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	settings := make([]byte, 9)
	if _, err := io.ReadFull(c, settings); err != nil || settings[3] != 4 {
		t.Fatalf("the client is greeted with %x, %v", settings, err)
	}
	io.WriteString(c, "\x00\x00\x00\x09\x04\x00\x00\x00\x01") // no frame of a probe's
	answer, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(answer), "-greeted") || strings.Contains(string(answer), "-conn") {
		t.Errorf("the engine has %q, %v", answer, err)
	}
}

func TestAProbeIsForTheGuestWhereItShouldBe(t *testing.T) {
	p := startProbed(t, "goes idle", "MAYFLY_PROBE=guest")
	p.waitForEngines(t, 0)
	c := p.dial(t)
	io.WriteString(c, probeHead)
	if answer, err := io.ReadAll(c); err != nil || strings.Contains(string(answer), "HTTP") || p.starts() != 2 {
		t.Errorf("got %q, %v from %d engines", answer, err, p.starts())
	}
}

func TestASidecarWhoseEnginesFailIsNotReadyUntilOneServes(t *testing.T) {
	p := startProbed(t, "goes idle, then dies twice")
	p.waitForEngines(t, 0)
	c := p.dial(t)
	fmt.Fprintln(c, "who?")
	c.Close() // it does not want to know after all
	for deadline := time.Now().Add(10 * time.Second); p.state(t).Failures == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the engine does not fail")
		}
	}
	if status, sentence := p.probe(t); status != 503 || !strings.Contains(sentence, "fails: the engine exited with status 7") {
		t.Errorf("a probe was told %d %s", status, sentence)
	}
	// That was reason enough to try another.
	for deadline := time.Now().Add(20 * time.Second); !p.state(t).Ready; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no engine is tried for probes: %+v; log: %s", p.state(t), p.log)
		}
	}
	if s := p.state(t); s.Doing != control.Serving {
		t.Errorf("a tool is told %+v", s)
	}
}

func TestTheToolSaysWhatAProbeIsTold(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	probe := func() (string, error) {
		c := exec.Command(p.Path, "probe")
		c.Dir = p.Dir
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := probe(); err != nil || !strings.Contains(out, "sleeps") {
		t.Errorf("the tool says %q, %v", out, err)
	}
	p.Process.Signal(syscall.SIGTERM)
	p.exitCode(t)
	if out, err := probe(); err == nil {
		t.Errorf("the tool says %q of a holder that has ended", out)
	}
}

func TestProbesLeaveNothingBehind(t *testing.T) {
	p := startProbed(t, "goes idle")
	p.waitForEngines(t, 0)
	p.probe(t)
	before := p.anonymous(t)
	check := func() {
		c := p.dial(t)
		defer c.Close()
		io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
		if _, err := io.ReadFull(c, make([]byte, 9)); err != nil { // it is greeted
			t.Fatal(err)
		}
	}
	check()
	for range 3000 {
		p.probe(t)
		p.state(t)
		check()
	}
	if more := p.anonymous(t) - before; more > 64 {
		t.Errorf("3000 probes cost the holder %d KB", more)
	}
}

// anonymous is the memory the holder has for itself, in KB.
func (p *holderProcess) anonymous(t *testing.T) (kb int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}
