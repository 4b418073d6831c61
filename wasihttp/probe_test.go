package wasihttp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/kubeprobe"
)

const probeHead = "GET /healthz HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.36\r\n"

// probe asks as kubelet does.
func (s *served) probe(t *testing.T) (*http.Response, string) {
	t.Helper()
	_, r := s.raw(t, probeHead+"Connection: close\r\n\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// check asks by gRPC.
func check(t *testing.T, addr, agent string) (*health.HealthCheckResponse, error) {
	t.Helper()
	c, err := grpc.NewClient(addr, grpc.WithUserAgent(agent), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return health.NewHealthClient(c).Check(ctx, &health.HealthCheckRequest{Service: "any"})
}

func TestProbesAreAnsweredWithoutAnInstance(t *testing.T) {
	s := serve(t, "trap") // no request can have this answered
	res, body := s.probe(t)
	if res.StatusCode != 200 || res.Header.Get("Mayfly-Probe") != "engine" || body != probeServes+"\n" {
		t.Errorf("got %v %q", res, body)
	}
	status, err := check(t, s.addr, "kube-probe/1.36")
	if err != nil || status.GetStatus() != health.HealthCheckResponse_SERVING {
		t.Errorf("got %v, %v", status, err)
	}
	if f := s.app.Server.Figures(); f.Probes != 2 || f.Requests != 0 || f.Failed != 0 {
		t.Errorf("the figures are %+v", f)
	}
}

func TestWhatIsNoProbeIsForTheGuest(t *testing.T) {
	s := serve(t, "echo")
	for _, request := range []string{
		"POST / HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.36\r\nContent-Length: 0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.36\r\nContent-Length: 1\r\n\r\nx",
		"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: curl kube-probe/\r\n\r\n",
	} {
		_, r := s.raw(t, request)
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.Header.Get("Mayfly-Probe") != "" {
			t.Errorf("%q: got %v, %v", request, res, err)
		}
	}
	if _, err := check(t, s.addr, "another"); err == nil {
		t.Error("a health check of another client is answered")
	}
	guest := serve(t, "echo", sidecar(func(c *config.Sidecar) { c.Probe = config.ProbeGuest }))
	if _, body := guest.probe(t); !strings.Contains(body, "path: /healthz") {
		t.Errorf("a probe for the guest is answered with %q", body)
	}
}

func TestAProbeWaitsForNobody(t *testing.T) {
	s := serve(t, "sleep", instances(1))
	for range 3 {
		s.raw(t, "GET /?ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	for s.app.Server.Figures().InFlight != 3 {
		time.Sleep(time.Millisecond)
	}
	if res, body := s.probe(t); res.StatusCode != 200 {
		t.Errorf("got %v %q", res, body)
	}
	f := s.app.Server.Figures()
	if f.InFlight != 3 || f.Queued != 2 || f.Instances != 1 || f.Limit != 1 {
		t.Errorf("the figures are %+v", f)
	}
	s.app.Server.Cut()
}

func TestProbesKeepNobodyAwake(t *testing.T) {
	s := serve(t, "hello", idle(400*time.Millisecond))
	kept, _ := s.raw(t, probeHead+"\r\n") // stays open
	probing := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(probing)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			io.WriteString(kept, probeHead+"\r\n")
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				continue // it has left
			}
			io.WriteString(c, probeHead+"Connection: close\r\n\r\n")
			io.Copy(io.Discard, c)
			c.Close()
			if c, err = net.Dial("tcp", s.addr); err == nil { // as a TCP probe
				c.Close()
			}
		}
	}()
	select {
	case err := <-s.done:
		if !errors.Is(err, ErrIdle) {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("probes keep the server awake")
	}
	close(stop)
	<-probing
}

func TestAProbeOfADrainingServer(t *testing.T) {
	s := serve(t, "sleep")
	s.raw(t, "GET /?ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n")
	for s.app.Server.Figures().InFlight != 1 {
		time.Sleep(time.Millisecond)
	}
	c, r := s.raw(t, "") // there before the end
	for fresh := 0; fresh == 0; time.Sleep(time.Millisecond) {
		_, fresh = s.app.Server.tally.count()
	}
	s.stop()
	for !s.app.Server.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	io.WriteString(c, probeHead+"\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != 503 {
		t.Errorf("got %v, %v", res, err)
	}
	s.app.Server.Cut()
}

// A holder has sent settings to a client whose request is no probe, and the server goes on.
func TestAGreetedClientIsServed(t *testing.T) {
	app, _, _ := load(t, "echo")
	l, client, given := accepted(t)
	if err := http2.NewFramer(given, nil).WriteSettings(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- app.Server.Serve(ctx, []net.Listener{l}, []net.Conn{Greeted(given)}) }()
	c := &http.Transport{
		Protocols:   new(http.Protocols),
		DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil },
	}
	c.Protocols.SetUnencryptedHTTP2(true)
	for range 3 {
		r, err := http.NewRequest("POST", "http://x/greeted", strings.NewReader(strings.Repeat("x", 100_000)))
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.Contains(string(body), "path: /greeted") || len(body) < 100_000 {
			t.Errorf("got %d bytes, %v", len(body), err)
		}
	}
	c.CloseIdleConnections()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestOneAcknowledgementIsLeftOut(t *testing.T) {
	preface := strings.Repeat("p", prefaceSize)
	const (
		settings = "\x00\x00\x06\x04\x00\x00\x00\x00\x00sixsix"
		ack      = "\x00\x00\x00\x04\x01\x00\x00\x00\x00"
		data     = "\x00\x00\x03\x00\x00\x00\x00\x00\x01abc"
	)
	for _, tc := range []struct{ name, in, out string }{
		{"the first", preface + settings + ack + data, preface + settings + data},
		{"the first of two", preface + settings + ack + data + ack, preface + settings + data + ack},
		{"after data", preface + settings + data + ack + data, preface + settings + data + data},
		{"none", preface + settings, preface + settings},
		{"half a frame", preface + settings + ack[:4], preface + settings},
	} {
		for _, size := range []int{1, 2, 5, 9, 100} {
			a, b := net.Pipe()
			go func() {
				for i := 0; i < len(tc.in); i += size {
					io.WriteString(a, tc.in[i:min(i+size, len(tc.in))])
				}
				a.Close()
			}()
			got, err := io.ReadAll(bufio.NewReaderSize(Greeted(b), 16))
			b.Close()
			if err != nil || string(got) != tc.out {
				t.Errorf("%s, %d at a time: got %q, %v, want %q", tc.name, size, got, err, tc.out)
			}
		}
	}
}

// A health check whose client never ends what it says.
func TestAHalfHealthCheckHoldsNobodyUp(t *testing.T) {
	for name, end := range map[string]struct {
		options []option
		want    error
	}{
		"an engine that is to sleep": {[]option{idle(100 * time.Millisecond)}, ErrIdle},
		"an engine that is to stop":  {[]option{sidecar(func(c *config.Sidecar) { c.DrainTimeout = 100 * time.Millisecond })}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "hello", end.options...)
			c, _ := s.raw(t, http2.ClientPreface)
			framer := http2.NewFramer(c, nil)
			if err := errors.Join(framer.WriteSettings(), ask(framer, false, [][2]string{
				{":method", "POST"}, {":scheme", "http"}, {":path", kubeprobe.HealthCheck}, {":authority", "x"}, {"user-agent", "kube-probe/1.36"},
			})); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the health check is there", func() bool { return s.app.Server.Figures().Probes == 1 })
			if end.want == nil {
				s.stop()
			}
			select {
			case err := <-s.done:
				if !errors.Is(err, end.want) {
					t.Errorf("Serve: %v", err)
				}
			case <-time.After(20 * time.Second):
				c.Close()
				t.Error("it holds the server up")
			}
		})
	}
}
