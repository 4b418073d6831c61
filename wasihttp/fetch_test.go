package wasihttp

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/logfmt"
	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// newGuest is a guest without an instance, which asks on behalf of a test.
func newGuest(t *testing.T, allowed string) (*guest, *sink) {
	t.Helper()
	p, err := outbound.Parse(allowed)
	if err != nil {
		t.Fatal(err)
	}
	log := &sink{}
	p.LogTo(logfmt.New(log, logfmt.Options{}))
	g := &guest{client: newClient(p)}
	t.Cleanup(func() {
		g.close()
		g.client.close()
	})
	return g, log
}

// request makes an outgoing request to url.
func request(t *testing.T, url string, with ...func(*outgoingRequest)) *outgoingRequest {
	t.Helper()
	scheme, rest, _ := strings.Cut(url, "://")
	authority, path, _ := strings.Cut(rest, "/")
	r := &outgoingRequest{
		message: message{fields: &fields{}}, method: http.MethodGet,
		scheme: scheme, hasScheme: true, authority: authority, hasAuthority: true, path: "/" + path, hasPath: true,
	}
	for _, f := range with {
		f(r)
	}
	return r
}

func header(name, value string) func(*outgoingRequest) {
	return func(r *outgoingRequest) { _ = r.fields.append(name, value) }
}

// withBody makes r a POST whose body is whole, of pieces.
func withBody(pieces ...string) func(*outgoingRequest) {
	return func(r *outgoingRequest) {
		r.method = http.MethodPost
		length, _ := r.fields.length()
		r.out = newOutlet(length, false)
		for _, p := range pieces {
			_ = r.out.write([]byte(p))
		}
		_ = r.out.finish(nil)
	}
}

// ask sends a request and waits for the head of the answer. It returns either that, or an error-code.
func (g *guest) ask(t *testing.T, r *outgoingRequest, limits timeouts) (*incomingResponse, *codeError) {
	t.Helper()
	f, err := g.fetch(t.Context(), r, limits)
	if err != nil {
		return nil, asCode(err)
	}
	<-f.ended
	if f.err != nil {
		return nil, f.err
	}
	return f.answer(), nil
}

// read reads an answer to its end.
func (r *incomingResponse) read() (string, error) {
	all, err := io.ReadAll(r.body)
	return string(all), err
}

// rawServer answers each connection with f.
func rawServer(t *testing.T, f func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c, bufio.NewReader(c))
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// readHead reads a request's head as it is on the wire.
func readHead(r *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

func TestWhatIsSentIsWhatTheGuestSays(t *testing.T) {
	for _, tc := range []struct {
		name string
		path string
		with []func(*outgoingRequest)
		want string // HOST is the server's
	}{
		{"nothing is added to a plain request", "/a?b=c", nil, "GET /a?b=c HTTP/1.1\r\nHost: HOST\r\n\r\n"},
		{"a path is not made prettier", `/%zz/../a%2Fb/{"|`, nil, `GET /%zz/../a%2Fb/{"| HTTP/1.1` + "\r\nHost: HOST\r\n\r\n"},
		{"a path of two slashes", "//a%2fb?", nil, "GET //a%2fb? HTTP/1.1\r\nHost: HOST\r\n\r\n"},
		{"no path but a query", "?q", nil, "GET /?q HTTP/1.1\r\nHost: HOST\r\n\r\n"},
		{"fields are the guest's", "/", []func(*outgoingRequest){header("user-agent", "me"), header("X-A", "1"), header("x-a", "2")},
			"GET / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: me\r\nX-A: 1\r\nX-A: 2\r\n\r\n"},
		{"a method of its own", "/", []func(*outgoingRequest){func(r *outgoingRequest) { r.method = "PURGE" }}, "PURGE / HTTP/1.1\r\nHost: HOST\r\n\r\n"},
		{"a POST without a body", "/", []func(*outgoingRequest){func(r *outgoingRequest) { r.method = "POST" }},
			"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n"},
		{"a body that is whole has a length", "/", []func(*outgoingRequest){withBody("12", "345")},
			"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\n"},
		{"a body whose length is announced", "/", []func(*outgoingRequest){header("content-length", "3"), withBody("123")},
			"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make(chan string, 1)
			host := rawServer(t, func(c net.Conn, r *bufio.Reader) {
				got <- readHead(r)
				_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
			})
			g, _ := newGuest(t, "")
			r := request(t, "http://"+host, tc.with...)
			r.path = tc.path
			if _, err := g.ask(t, r, noTimeouts); err != nil {
				t.Error(err)
			}
			if head := <-got; head != strings.ReplaceAll(tc.want, "HOST", host) {
				t.Errorf("sent %q", head)
			}
		})
	}
}

func TestAnswersAreGivenAsTheyCome(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte("hello"))
		_ = z.Close()
	})
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		fmt.Fprint(w, len(r.Cookies()))
	})
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Sum", r.Trailer.Get("X-Sum")+"!")
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	g, _ := newGuest(t, "")

	t.Run("redirects are the guest's to follow", func(t *testing.T) {
		res, err := g.ask(t, request(t, s.URL+"/redirect"), noTimeouts)
		if err != nil || res.status != 302 || res.fields.values("location")[0] != "/elsewhere" {
			t.Errorf("got %v, %v", res, err)
		}
	})
	t.Run("content is not decoded", func(t *testing.T) {
		res, err := g.ask(t, request(t, s.URL+"/gzip"), noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := res.read(); err != nil || !strings.HasPrefix(body, "\x1f\x8b") || !res.fields.has("content-encoding") {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("cookies are not kept", func(t *testing.T) {
		for range 2 {
			res, err := g.ask(t, request(t, s.URL+"/cookie"), noTimeouts)
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := res.read(); body != "0" {
				t.Errorf("sent %s cookies", body)
			}
		}
	})
	t.Run("trailers go both ways", func(t *testing.T) {
		r := request(t, s.URL+"/trailers")
		r.method, r.out = "POST", newOutlet(-1, false)
		f, err := g.fetch(t.Context(), r, noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.out.write([]byte("hello"))
		if err := r.out.finish(http.Header{"X-Sum": {"42"}}); err != nil {
			t.Fatal(err)
		}
		<-f.ended
		res := f.answer()
		if body, err := res.read(); body != "hello" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
		if got := newFields(res.trailer()).text(); got != "x-sum=42!;" {
			t.Errorf("trailers %s", got)
		}
		if got := res.fields.values("trailer"); len(got) != 1 || got[0] != "x-sum" {
			t.Errorf("announced: %q", got)
		}
	})
}

func TestConnectionsOutliveGuests(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) }))
	defer s.Close()
	first, _ := newGuest(t, "")
	seen := map[string]bool{}
	for range 5 {
		g := &guest{client: first.client}
		res, err := g.ask(t, request(t, s.URL), noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := res.read()
		seen[body] = true
		g.close()
	}
	if len(seen) != 1 {
		t.Errorf("%d connections", len(seen))
	}
}

func TestWhatGoesWrongHasItsCode(t *testing.T) {
	ms := time.Millisecond
	hang := func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.Copy(io.Discard, r)
	}
	says := func(text string) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, r *bufio.Reader) {
			readHead(r)
			_, _ = io.WriteString(c, text)
		}
	}
	for _, tc := range []struct {
		name   string
		server func(net.Conn, *bufio.Reader) // nil: nobody listens
		scheme string
		limits timeouts
		want   int
	}{
		{"nobody listens", nil, "http", noTimeouts, codeConnectionRefused},
		{"a server that never shakes hands", func(c net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) }, "https", timeouts{50 * ms, -1, -1}, codeConnectionTimeout},
		{"a server that never answers", hang, "http", timeouts{-1, 50 * ms, -1}, codeConnectionReadTimeout},
		{"a server that stops in its answer", func(c net.Conn, r *bufio.Reader) {
			readHead(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
			_, _ = io.Copy(io.Discard, r)
		}, "http", timeouts{-1, -1, 50 * ms}, codeConnectionReadTimeout},
		{"a server that leaves at once", func(net.Conn, *bufio.Reader) {}, "http", noTimeouts, codeConnectionTerminated},
		{"a server that leaves without an answer", says(""), "http", noTimeouts, codeConnectionTerminated},
		{"a server that leaves in its head", says("HTTP/1.1 200 OK\r\nX: y\r\n"), "http", noTimeouts, codeResponseIncomplete},
		{"a server that leaves in its body", says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), "http", noTimeouts, codeResponseIncomplete},
		{"a server that leaves between chunks", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"), "http", noTimeouts, codeResponseIncomplete},
		{"a server that speaks no HTTP", says("220 mail.example.com ESMTP\r\n"), "http", noTimeouts, codeProtocolError},
		{"a field that is none", says("HTTP/1.1 200 OK\r\nno field\r\n\r\n"), "http", noTimeouts, codeProtocolError},
		{"two lengths", says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), "http", noTimeouts, codeProtocolError},
		{"a chunk that is none", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "http", noTimeouts, codeProtocolError},
		{"a transfer coding that nobody knows", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), "http", noTimeouts, codeResponseTransferCoding},
		{"a head without end", says("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxResponseHead+10) + "\r\n\r\n"), "http", noTimeouts, codeResponseHeaderSectionSize},
		{"an upgrade that nobody asked for", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), "http", noTimeouts, codeUpgradeFailed},
		{"a server without TLS", func(c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, "https", noTimeouts, codeTLSProtocolError},
		{"a server that speaks anything else", func(c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, "220 mail.example.com ESMTP\r\n") }, "https", noTimeouts, codeTLSProtocolError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			host := "127.0.0.1:1"
			if tc.server != nil {
				host = rawServer(t, tc.server)
			}
			g, _ := newGuest(t, "")
			res, err := g.ask(t, request(t, tc.scheme+"://"+host), tc.limits)
			if err == nil {
				if _, cause := res.read(); cause != nil && !errors.As(cause, &err) {
					t.Fatalf("no error-code: %v", cause)
				}
			}
			switch {
			case err == nil:
				t.Errorf("it went well: %d", res.status)
			case err.code != tc.want:
				t.Errorf("got %v, want %s", err, codeNames[tc.want])
			}
			g.close() // lets the server go
		})
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		w.Header().Set(http.TrailerPrefix+"X-Proto", r.Proto)
		w.Header().Set(http.TrailerPrefix+"X-Sum", r.Trailer.Get("X-Sum"))
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())

	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		g, _ := newGuest(t, "")
		if _, err := g.ask(t, request(t, s.URL), noTimeouts); err == nil || err.code != codeTLSCertificateError {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a certificate of another host", func(t *testing.T) {
		g, _ := newGuest(t, "")
		g.client.secure().TLSClientConfig.RootCAs = pool
		url := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
		if _, err := g.ask(t, request(t, url), noTimeouts); err == nil || err.code != codeTLSCertificateError {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an alert of the server", func(t *testing.T) {
		strict := httptest.NewUnstartedServer(nil)
		strict.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
		strict.Config.ErrorLog = log.New(io.Discard, "", 0)
		strict.StartTLS()
		defer strict.Close()
		g, _ := newGuest(t, "")
		g.client.secure().TLSClientConfig.RootCAs = pool
		_, err := g.ask(t, request(t, strict.URL), noTimeouts)
		if err == nil || err.code != codeTLSAlertReceived {
			t.Fatalf("got %v", err)
		}
		id, ok := err.payload.Field(0).Some()
		if text, _ := err.payload.Field(1).Some(); !ok || id.U8() != 40 || text.String() != "handshake failure" {
			t.Errorf("alert %d, %q", id.U8(), text.String())
		}
	})
	t.Run("HTTP/2, with trailers that were announced", func(t *testing.T) {
		g, _ := newGuest(t, "")
		g.client.secure().TLSClientConfig.RootCAs = pool
		r := request(t, s.URL, header("trailer", "x-sum, host, ,"))
		r.method, r.out = "POST", newOutlet(-1, false)
		f, err := g.fetch(t.Context(), r, noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.out.write([]byte("hello"))
		_ = r.out.finish(http.Header{"X-Sum": {"42"}})
		<-f.ended
		if f.err != nil {
			t.Fatal(f.err)
		}
		res := f.answer()
		if body, err := res.read(); body != "hello" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
		if got := newFields(res.trailer()).text(); got != "x-proto=HTTP/2.0;x-sum=42;" {
			t.Errorf("trailers %s", got)
		}
	})
}

func TestWhatIsRefusedBeforeItIsSent(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(*outgoingRequest)
		want int
	}{
		{"a host that is not allowed", func(r *outgoingRequest) { r.authority = "example.com" }, codeRequestDenied},
		{"an address that is not allowed", func(r *outgoingRequest) { r.authority = "169.254.169.254" }, codeRequestDenied},
		{"no authority", func(r *outgoingRequest) { r.hasAuthority = false }, codeRequestURIInvalid},
		{"a scheme that is not HTTP's", func(r *outgoingRequest) { r.scheme = "ftp" }, codeProtocolError},
		{"a tunnel", func(r *outgoingRequest) { r.method = http.MethodConnect }, codeRequestMethodInvalid},
		{"a path that cannot be read", func(r *outgoingRequest) { r.path = "//%zz" }, codeRequestURIInvalid},
		{"a body that is announced and never made", func(r *outgoingRequest) { _ = r.fields.set("content-length", []string{"5"}) }, codeRequestBodySize},
		{"two lengths", func(r *outgoingRequest) { _ = r.fields.set("content-length", []string{"5", "6"}) }, codeProtocolError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, log := newGuest(t, "")
			if _, err := g.ask(t, request(t, "http://127.0.0.1:1/", tc.make), noTimeouts); err == nil || err.code != tc.want {
				t.Errorf("got %v, want %s", err, codeNames[tc.want])
			}
			if denied := tc.want == codeRequestDenied; denied != strings.Contains(log.String(), "MAYFLY_ALLOWED_OUTBOUND") {
				t.Errorf("the log says %q", log)
			}
		})
	}
}

func TestRequestsUnderWayAreBounded(t *testing.T) {
	host := rawServer(t, func(c net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	g, _ := newGuest(t, "")
	for range maxFetches {
		if _, err := g.fetch(t.Context(), request(t, "http://"+host), noTimeouts); err != nil {
			t.Fatal(err)
		}
	}
	_, err := g.fetch(t.Context(), request(t, "http://"+host), noTimeouts)
	if asCode(err).code != codeConnectionLimitReached {
		t.Errorf("one more: %v", err)
	}
	for f := range g.fetches {
		f.drop()
		break
	}
	if _, err := g.fetch(t.Context(), request(t, "http://"+host), noTimeouts); err != nil {
		t.Errorf("after one was dropped: %v", err)
	}
	g.close()
}

func TestAnswersThatAreHereWholeAreNotUnderWay(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	defer s.Close()
	g, _ := newGuest(t, "")
	var last *incomingResponse
	for range 2 * maxFetches { // and none is dropped
		res, err := g.ask(t, request(t, s.URL), noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		res.body.begin()
		eventually(t, "it is here", res.body.whole)
		last = res
	}
	g.sweep()
	if body, err := last.read(); body != "hello" || err != nil {
		t.Errorf("then %q, %v", body, err)
	}
}

func TestARequestEndsWithItsGuest(t *testing.T) {
	gone := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
		close(gone)
	}))
	defer s.Close()
	for _, tc := range []struct {
		name string
		end  func(*guest, context.CancelFunc)
	}{
		{"which closes", func(g *guest, _ context.CancelFunc) { g.close() }},
		{"whose time is over", func(g *guest, cancel context.CancelFunc) { cancel() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gone = make(chan struct{})
			g, _ := newGuest(t, "")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := request(t, s.URL)
			r.method, r.out = "POST", newOutlet(-1, false)
			f, err := g.fetch(ctx, r, noTimeouts)
			if err != nil {
				t.Fatal(err)
			}
			<-f.ended
			tc.end(g, cancel)
			<-gone
			eventually(t, "the guest may write no more", func() bool { _, err := r.out.room(); return err == wasiio.ErrClosed })
		})
	}
}

func TestABodyThatIsLeftIsNoWholeBody(t *testing.T) {
	ended := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}))
	defer s.Close()
	g, _ := newGuest(t, "")
	r := request(t, s.URL)
	r.method, r.out = "POST", newOutlet(-1, false)
	f, err := g.fetch(t.Context(), r, noTimeouts)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.out.write([]byte("hello"))
	r.out.abort()
	if err := <-ended; err == nil {
		t.Error("the server took it for whole")
	}
	<-f.ended
	if f.err == nil || f.err.code != codeInternalError {
		t.Errorf("the guest is told %v", f.err)
	}
}

func TestBackPressure(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-release
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n)
			return
		}
		_, _ = io.Copy(w, io.LimitReader(zeroReader{}, 64<<20))
	}))
	defer s.Close()
	t.Run("a guest writes no more than its server takes", func(t *testing.T) {
		g, _ := newGuest(t, "")
		r := request(t, s.URL)
		r.method, r.out = "POST", newOutlet(-1, false)
		stream := &outletStream{outlet: r.out}
		f, err := g.fetch(t.Context(), r, noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		const size = 64 << 20
		sent, released := 0, false
		for sent < size {
			n, err := stream.CheckWrite()
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				n = min(n, size-sent)
				if err := stream.Write(make([]byte, n)); err != nil {
					t.Fatal(err)
				}
				sent += n
				continue
			}
			if !released && sent > 16<<20 {
				t.Fatalf("%d bytes were taken, and the server read none", sent)
			}
			room := make(chan struct{}, 1)
			stop := stream.Watch(func() { poke(room) })
			if !released {
				released = true
				close(release)
			}
			<-room
			stop()
		}
		_ = r.out.finish(nil)
		<-f.ended
		if body, err := f.answer().read(); body != fmt.Sprint(size) || err != nil {
			t.Errorf("the server had %s, %v", body, err)
		}
	})
	t.Run("a server writes no more than the guest takes", func(t *testing.T) {
		g, _ := newGuest(t, "")
		res, err := g.ask(t, request(t, s.URL), noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		stream, total := &bodyStream{body: res.body}, 0
		for {
			p, err := stream.Read(1 << 20)
			if err == io.EOF {
				break
			}
			if len(p) > mostAhead || err != nil {
				t.Fatalf("%d bytes at once, %v", len(p), err)
			}
			if total += len(p); len(p) == 0 {
				some := make(chan struct{}, 1)
				stop := stream.Watch(func() { poke(some) })
				<-some
				stop()
			}
		}
		if total != 64<<20 {
			t.Errorf("got %d bytes", total)
		}
	})
}

// poke gives c a value, if it has none.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
