package kubeprobe

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const probe = "GET /healthz?a=b HTTP/1.1\r\nHost: 10.88.0.7:8080\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nConnection: close\r\n\r\n"

func TestHTTPProbesAreTold(t *testing.T) {
	for _, tc := range []struct {
		name, head string
		want       Kind
	}{
		{"kubelet's", probe, HTTP},
		{"kubelet's with fields of the pod", "GET / HTTP/1.1\r\nhost:x\r\nX-Own: a\tb\r\nuser-agent:\tkube-probe/1.36\r\n\r\n", HTTP},
		{"nothing yet", "", More},
		{"a beginning", probe[:3], More},
		{"a beginning that ends in a line's end", "GET / HTTP/1.1\r", More},
		{"all but a byte", probe[:len(probe)-1], More},
		{"another client", "GET / HTTP/1.1\r\nUser-Agent: curl/8\r\n", Other},
		{"a client without a name", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", Other},
		{"another method", "POST / HTTP/1.1\r\n", Other},
		{"another method from the first byte", "D", Other},
		{"what may be POST or the preface", "P", More},
		{"another version", strings.Replace(probe, "1.1", "1.0", 1), Other},
		{"a proxy's request", "GET http://x/ HTTP/1.1\r\n", Other},
		{"two names", "GET / HTTP/1.1\r\nUser-Agent: kube-probe/1\r\nUser-Agent: kube-probe/1\r\n\r\n", Other},
		{"a body", "GET / HTTP/1.1\r\nUser-Agent: kube-probe/1\r\nContent-Length: 1\r\n\r\nx", Other},
		{"a body in chunks", "GET / HTTP/1.1\r\nUser-Agent: kube-probe/1\r\nTransfer-Encoding: chunked\r\n\r\n", Other},
		{"a request behind it", probe + "GET", Other},
		{"a space in the path", "GET /a b HTTP/1.1\r\n", Other},
		{"a line that goes on", "GET / HTTP/1.1\r\nX: y\r\n z\r\n", Other},
		{"a field without a name", "GET / HTTP/1.1\r\n: y\r\n", Other},
		{"a line feed alone", "GET / HTTP/1.1\nUser-Agent", Other},
		{"a zero byte", "GET /\x00", Other},
		{"TLS", "\x16\x03\x01", Other},
		{"a head that never ends", "GET /" + strings.Repeat("a", MaxHead), Other},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, _ := Read([]byte(tc.head)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

// healthCheck is a client's side of a check, with header fields as hpack writes them.
func healthCheck(t testing.TB, change func(*http2.Framer), fields ...string) []byte {
	t.Helper()
	var b, block bytes.Buffer
	b.WriteString(preface)
	f := http2.NewFramer(&b, nil)
	f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	f.WriteWindowUpdate(0, 1<<20)
	if change != nil {
		change(f)
	}
	if len(fields) > 0 {
		e := hpack.NewEncoder(&block)
		for i := 0; i < len(fields); i += 2 {
			e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: block.Bytes(), EndHeaders: true})
		f.WriteData(5, true, []byte{0, 0, 0, 0, 0})
	}
	return b.Bytes()
}

var checkFields = []string{
	":method", "POST", ":scheme", "http", ":path", HealthCheck, ":authority", "10.88.0.7:8080", "content-type", "application/grpc",
	"user-agent", "kube-probe/1.36 grpc-go/1.79.0", "te", "trailers", "grpc-timeout", "999m",
}

func TestHealthChecksAreTold(t *testing.T) {
	other := func(name, value string) []string {
		fields := append([]string(nil), checkFields...)
		for i := 0; i < len(fields); i += 2 {
			if fields[i] == name {
				fields[i+1] = value
			}
		}
		return fields
	}
	whole := healthCheck(t, nil, checkFields...)
	for _, tc := range []struct {
		name string
		head []byte
		want Kind
	}{
		{"kubelet's", whole, GRPC},
		{"before its last frame", whole[:len(whole)-14], More},
		{"before its last byte", whole[:len(whole)-1], More},
		{"half a preface", whole[:10], More},
		{"no frame yet", whole[:len(preface)], More},
		{"a client that waits for settings", healthCheck(t, nil), Greet},
		{"another client", healthCheck(t, nil, other("user-agent", "grpc-go/1.79.0")...), Other},
		{"another method of gRPC", healthCheck(t, nil, other(":path", "/grpc.health.v1.Health/Watch")...), Other},
		{"another method of HTTP", healthCheck(t, nil, other(":method", "GET")...), Other},
		{"settings acknowledged first", healthCheck(t, func(f *http2.Framer) { f.WriteSettingsAck() }, checkFields...), GRPC},
		{"a ping", healthCheck(t, func(f *http2.Framer) { f.WritePing(false, [8]byte{}) }), Other},
		{"no settings first", append([]byte(preface), settingsAck...), Other},
		{"a frame that is too long", append([]byte(preface), 0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0), Other},
		{"many frames", healthCheck(t, func(f *http2.Framer) {
			for range MaxHead / frameHeader {
				f.WriteSettingsAck()
			}
		}), Other},
	} {
		t.Run(tc.name, func(t *testing.T) {
			kind, stream := Read(tc.head)
			if kind != tc.want || kind == GRPC && stream != 5 {
				t.Errorf("got %d on stream %d, want %d", kind, stream, tc.want)
			}
		})
	}
}

func TestTheHuffmanCodesAreRight(t *testing.T) {
	for text, code := range map[string]string{Agent: huffmanAgent, HealthCheck: huffmanHealthCheck} {
		if got := hpack.AppendHuffmanString(nil, text); string(got) != code {
			t.Errorf("%s: %x, want %x", text, code, got)
		}
	}
	if bits := hpack.HuffmanEncodeLength(Agent + "0"); bits <= uint64(len(huffmanAgent)) {
		t.Error("the agent's code is not whole bytes")
	}
}

// answer serves one connection as a holder does: it looks from the beginning each time something has come.
func answer(t *testing.T, c net.Conn, ready bool) {
	defer c.Close()
	var head []byte
	for buf, greeted := make([]byte, MaxHead), false; ; {
		n, err := c.Read(buf)
		if err != nil {
			t.Errorf("the client left after %q: %v", head, err)
			return
		}
		head = append(head, buf[:n]...)
		switch kind, stream := Read(head); kind {
		case Greet:
			if !greeted {
				io.WriteString(c, Settings)
			}
			greeted = true
		case HTTP:
			c.Write(AppendHTTP(nil, ready, "test", "why it is so"))
			return
		case GRPC:
			c.Write(AppendGRPC(nil, stream, greeted, ready, "test"))
			io.Copy(io.Discard, c)
			return
		case Other:
			t.Errorf("not known as a probe: %q", head)
			return
		}
	}
}

func listen(t *testing.T, ready bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			answer(t, c, ready)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// What follows asks as kubelet does, in pkg/probe.

func TestKubeletsHTTPClientUnderstands(t *testing.T) {
	for ready, want := range map[bool]int{true: 200, false: 503} {
		r, err := http.NewRequest("GET", "http://"+listen(t, ready)+"/any/path", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"User-Agent": {"kube-probe/1.36"}, "Accept": {"*/*"}}
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want || string(body) != "why it is so\n" || res.Header.Get("Mayfly-Probe") != "test" {
			t.Errorf("got %v %q, %v", res, body, err)
		}
	}
}

func TestKubeletsGRPCClientUnderstands(t *testing.T) {
	for ready, want := range map[bool]health.HealthCheckResponse_ServingStatus{
		true: health.HealthCheckResponse_SERVING, false: health.HealthCheckResponse_NOT_SERVING,
	} {
		conn, err := grpc.NewClient(listen(t, ready), grpc.WithUserAgent("kube-probe/1.36"), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		res, err := health.NewHealthClient(conn).Check(ctx, &health.HealthCheckRequest{Service: "liveness"})
		cancel()
		conn.Close()
		if err != nil || res.GetStatus() != want {
			t.Errorf("got %v, %v, want %v", res.GetStatus(), err, want)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	check := healthCheck(t, nil, checkFields...)
	buf := make([]byte, 0, MaxHead)
	if n := testing.AllocsPerRun(100, func() {
		Read([]byte(probe))
		Read(check)
		AppendHTTP(buf, true, "holder", "it sleeps")
		AppendGRPC(buf, 1, false, false, "holder")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(probe))
	f.Add(healthCheck(f, nil, checkFields...))
	f.Fuzz(func(t *testing.T, head []byte) {
		kind, stream := Read(head)
		for i := range head {
			// What was decided on a beginning stays so, but for a probe that something follows.
			if early, _ := Read(head[:i]); early == Other && kind != Other {
				t.Fatalf("%q is no probe, and with more it is", head[:i])
			}
		}
		switch {
		case kind == HTTP:
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
			if err == nil && !strings.HasPrefix(r.UserAgent(), Agent) {
				t.Errorf("%q is a probe, and %+v to net/http", head, r)
			}
		case kind == GRPC && (stream == 0 || stream&1 == 0):
			t.Errorf("stream %d", stream)
		case kind < Other && len(head) >= MaxHead:
			t.Error("waits for more than it may look at")
		}
	})
}
