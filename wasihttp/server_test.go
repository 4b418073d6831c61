package wasihttp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/logfmt"
)

// sink collects log lines of several goroutines.
type sink struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// served is a guest behind a real listener.
type served struct {
	app    *App
	url    string
	addr   string
	log    *sink
	stderr *sink
	stop   context.CancelFunc // SIGTERM, so to speak
	done   chan error         // what Serve returned
	client *http.Client
}

type option func(*Options)

func sidecar(f func(*config.Sidecar)) option { return func(o *Options) { f(&o.Sidecar) } }

// load loads a guest with the defaults of a sidecar.
func load(t testing.TB, guest string, options ...option) (*App, *sink, *sink) {
	t.Helper()
	c, err := config.Parse([]string{"MAYFLY_IDLE_TIMEOUT=never", "MAYFLY_TIMEOUT=20s"})
	if err != nil {
		t.Fatal(err)
	}
	log, stderr := &sink{}, &sink{}
	o := Options{
		Wasm: guests.Wasm(guest), Sidecar: c, Args: []string{guest}, GuestLog: stderr,
		Log: logfmt.New(log, logfmt.Options{Debug: true}),
	}
	if _, bench := t.(*testing.B); bench {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, f := range options {
		f(&o)
	}
	app, err := loadEither(t, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return app, log, stderr
}

func serve(t testing.TB, guest string, options ...option) *served {
	t.Helper()
	app, log, stderr := load(t, guest, options...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &served{
		app: app, log: log, stderr: stderr, addr: l.Addr().String(), url: "http://" + l.Addr().String(), stop: stop, done: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		s.done <- app.Server.Serve(ctx, []net.Listener{l}, nil)
	}()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		stop()
		<-finished
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return s
}

// accepted is a connection that somebody has accepted for a server, its client, and the listener that it came over.
func accepted(t *testing.T) (l net.Listener, client, given net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if given, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return l, client, given
}

// get asks and reads the answer whole.
func (s *served) get(t testing.TB, path string) (*http.Response, string) {
	t.Helper()
	res, body, err := s.try(path)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

func (s *served) try(path string) (*http.Response, string, error) {
	res, err := s.client.Get(s.url + path)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// raw sends text over a connection of its own and returns it with a reader of answers.
func (s *served) raw(t testing.TB, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// eventually waits for what happens soon.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("did not happen in 10 s: " + what)
		}
	}
}

// instances is how many are alive.
func (s *served) instances() int {
	q := s.app.Server.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.alive
}

func TestAnAnswerIsTheGuests(t *testing.T) {
	for _, tc := range []struct {
		name, guest, path string
		status            int
		header            map[string]string
		body              string
	}{
		{"a hello", "hello", "/", 200, map[string]string{"Content-Type": "text/plain", "Content-Length": "6"}, "hello\n"},
		{"a status with a reason", "status", "/?code=418&reason=Teapot", 418, nil, "status 418\n"},
		{"a status without a body", "status", "/?code=204", 204, map[string]string{"Content-Length": ""}, ""},
		{"a status that forbids the body that is there", "status", "/?code=204&body=1", 204, nil, ""},
		{"not modified", "status", "/?code=304&body=1", 304, nil, ""},
		{"a redirect of the client", "redirect", "/?to=http%3A%2F%2Fx%2Fy", 302, map[string]string{"Location": "http://x/y"}, ""},
		{"a redirect of the client with a status", "redirect", "/?to=/y&status=307", 307, map[string]string{"Location": "/y"}, "moved\n"},
		{"an announced length", "bigbody-out", "/?n=100000&length=1", 200, map[string]string{"Content-Length": "100000"}, pattern(100000)},
		{"a length nobody announced", "bigbody-out", "/?n=100000", 200, map[string]string{"Content-Length": ""}, pattern(100000)},
		{"a good answer with stderr", "stderr", "/", 200, nil, "wrote to stderr\n"},
		{"many fields", "big-header", "/?fields=100", 200, map[string]string{"X-Field-99": "x"}, "sent\n"},
		{"a body before the end of the guest", "close-stdout", "/?ms=1", 200, nil, "closed\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.guest)
			res, body := s.get(t, tc.path)
			if res.StatusCode != tc.status || body != tc.body {
				t.Errorf("got %d %.100q, want %d %.100q", res.StatusCode, body, tc.status, tc.body)
			}
			for name, want := range tc.header {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			if res.Header.Get("X-Request-Id") == "" {
				t.Error("the answer has no request id")
			}
			// A client that knows the length has the answer a moment before the guest ends.
			eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
		})
	}
}

func TestTheHostAnswersForAGuestThatDoesNot(t *testing.T) {
	for _, tc := range []struct {
		name, guest, path string
		status            int
		log               string
	}{
		{"a trap", "trap", "/", 500, "unreachable"},
		{"an exit code before a head", "exit", "/?code=7", 500, "exited with code 7"},
		{"no output", "no-output", "/", 502, "it is empty"},
		{"half a head", "half-header", "/", 502, "ends before the empty line"},
		{"a trap in the head", "abort-midheader", "/", 500, "unreachable"},
		{"binary output", "binary-output", "/", 502, "no header line"},
		{"a header line that is none", "bad-header", "/", 502, `\"Not A Field: x\" is no header line`},
		{"a status that is none", "bad-status", "/", 502, "teapot"},
		{"an informational status", "bad-status", "/?value=101", 502, "no status from 200"},
		{"a head too large", "big-header", "/?n=70000", 502, "more than 64 KiB"},
		{"too many fields", "big-header", "/?fields=300", 502, "more than 256 fields"},
		{"a redirect in circles", "redirect", "/", 502, "circles"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.guest)
			res, body := s.get(t, tc.path)
			id := res.Header.Get("X-Request-Id")
			if res.StatusCode != tc.status || id == "" || !strings.Contains(body, "request id: "+id) {
				t.Errorf("got %d, id %q: %s", res.StatusCode, id, body)
			}
			if log := s.log.String(); !strings.Contains(log, tc.log) || !strings.Contains(log, id) {
				t.Errorf("the log has not %q and the id %s:\n%s", tc.log, id, log)
			}
			if s.instances() != 0 {
				t.Error("an instance is left")
			}
		})
	}
}

func TestATrapsStackIsInTheLog(t *testing.T) {
	s := serve(t, "trap")
	s.get(t, "/")
	for _, f := range []string{"c(", "b(", "a("} {
		if !strings.Contains(s.log.String(), f) {
			t.Errorf("%s is not in the log:\n%s", f, s.log)
		}
	}
}

func TestAnAnswerThatBreaksOffCutsTheConnection(t *testing.T) {
	for _, tc := range []struct{ name, guest, path, begins string }{
		{"a trap", "trap-late", "/", "xxxxxxxx"},
		{"an exit code", "exit-late", "/", "answered\n"},
		{"less than announced", "bad-length", "/", "xxxxx"},
		{"more than announced", "bad-length", "/?announce=3&send=5", "xxx"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.guest)
			_, r := s.raw(t, "GET "+tc.path+" HTTP/1.1\r\nHost: x\r\n\r\n")
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if string(body) != tc.begins {
				t.Errorf("got %q", body)
			}
			if whole := tc.begins == "xxx"; err == nil != whole {
				t.Errorf("the body's end: %v", err)
			}
			if _, err := r.ReadByte(); err == nil {
				t.Error("the connection goes on")
			}
		})
	}
}

func TestALocalRedirectIsAnotherRunOfTheGuest(t *testing.T) {
	s := serve(t, "redirect")
	// The first run answers with this server's path, the second, which gets that, with another server's.
	res, err := s.client.Post(s.url+"/?to=/%3Fto%3Dhttp%253A%252F%252Fx%252F", "x/y", strings.NewReader("a body"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 302 || res.Header.Get("Location") != "http://x/" {
		t.Errorf("got %d, Location %q", res.StatusCode, res.Header.Get("Location"))
	}
	if n := strings.Count(s.log.String(), "status=302"); n != 1 {
		t.Errorf("%d requests are in the log", n)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	s := serve(t, "bigbody-out")
	for range 2 { // the second shows that the first left the connection in order
		res, err := s.client.Head(s.url + "/?n=5000&length=1")
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 200 || res.Header.Get("Content-Length") != "5000" {
			t.Errorf("got %d, %v", res.StatusCode, res.Header)
		}
	}
}

func TestABodyGoesIn(t *testing.T) {
	s := serve(t, "bigbody-in")
	for _, tc := range []struct {
		name string
		body io.Reader
		want string
	}{
		{"with its length", bytes.NewReader([]byte(pattern(1 << 20))), "1048576 "},
		{"in chunks", struct{ io.Reader }{strings.NewReader(pattern(1 << 20))}, "1048576 "},
		{"not at all", http.NoBody, "0 00000000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res, err := s.client.Post(s.url, "x/y", tc.body)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != 200 || !strings.HasPrefix(string(body), tc.want) {
				t.Errorf("got %d %q, want %q", res.StatusCode, body, tc.want)
			}
		})
	}
}

func TestABodyTooLargeIsRefused(t *testing.T) {
	s := serve(t, "bigbody-in", sidecar(func(c *config.Sidecar) { c.MaxBody = 1000 }))
	for _, tc := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"as large as may be", strings.NewReader(pattern(1000)), 200},
		{"by its length", strings.NewReader(pattern(1001)), 413},
		{"in chunks", struct{ io.Reader }{strings.NewReader(pattern(1001))}, 413},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res, err := s.client.Post(s.url, "x/y", tc.body)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tc.want {
				t.Errorf("got %d, want %d", res.StatusCode, tc.want)
			}
		})
	}
}

func TestABodyThatBreaksOffIsNotTakenForAWholeOne(t *testing.T) {
	s := serve(t, "bigbody-in")
	_, r := s.raw(t, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 400 {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestAHeadTooLargeIsRefused(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for size, want := range map[int]int{50 << 10: 200, 70 << 10: 431} {
			t.Run(fmt.Sprintf("%s %d bytes", protocol, size), func(t *testing.T) {
				s := serve(t, "hello")
				if protocol == "HTTP/2.0" {
					s.useHTTP2()
				}
				r, _ := http.NewRequest("GET", s.url, nil)
				for i := range size >> 10 {
					r.Header.Set(fmt.Sprintf("X-Large-%d", i), strings.Repeat("x", 1000))
				}
				res, err := s.client.Do(r)
				if err != nil && want == 431 && strings.Contains(err.Error(), "larger than peer's advertised limit") {
					return // the client had learned the limit by then, and refuses by itself
				}
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != want {
					t.Errorf("got %d, want %d", res.StatusCode, want)
				}
			})
		}
	}
}

func TestChunksGoThroughAsTheyCome(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			s := serve(t, "echo-stream")
			if protocol == "HTTP/2.0" {
				s.useHTTP2()
			}
			in, out := io.Pipe()
			defer out.Close()
			r, _ := http.NewRequest("POST", s.url, in)
			res, err := s.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.Proto != protocol {
				t.Errorf("speaks %s", res.Proto)
			}
			for i := range 50 { // each is sent only when the one before has come back
				sent := []byte{byte(i), 'x', 'y'}
				got := make([]byte, 3)
				if _, err := out.Write(sent); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(res.Body, got); err != nil || !bytes.Equal(got, sent) {
					t.Fatalf("sent %q, got %q, %v", sent, got, err)
				}
			}
			out.Close()
			if rest, err := io.ReadAll(res.Body); len(rest) != 0 || err != nil {
				t.Errorf("then %q, %v", rest, err)
			}
		})
	}
}

func TestAPieceDoesNotWaitForTheNext(t *testing.T) {
	s := serve(t, "slow-out")
	_, r := s.raw(t, "GET /?n=2&ms=1500 HTTP/1.1\r\nHost: x\r\n\r\n")
	start := time.Now()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if d := time.Since(start); d > time.Second {
		t.Errorf("the head came after %s", d)
	}
	one := make([]byte, 1)
	if _, err := res.Body.Read(one); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 2800*time.Millisecond {
		t.Errorf("the first piece came after %s, with the second", d)
	}
}

func (s *served) useHTTP2() {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	s.client.Transport = &http.Transport{Protocols: p}
}

// pattern is what bigbody-out sends.
func pattern(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return string(b)
}

func TestServeNeedsAListener(t *testing.T) {
	app, _, _ := load(t, "hello")
	if err := app.Server.Serve(t.Context(), nil, nil); err == nil || errors.Is(err, ErrIdle) {
		t.Errorf("got %v", err)
	}
}
