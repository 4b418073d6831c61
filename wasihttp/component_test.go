package wasihttp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// behaviours is the component with a behaviour for each path; internal/guests/README.md has the table.
const behaviours = "http"

// built makes a component of the guests what is loaded.
func built(t testing.TB, name string) option {
	return func(o *Options) { o.Wasm = guests.Component(t, name) }
}

func serveComponent(t testing.TB, options ...option) *served {
	t.Helper()
	return serve(t, "hello", append([]option{built(t, behaviours)}, options...)...)
}

// do sends a request and reads the answer whole.
func (s *served) do(t testing.TB, method, path string, body io.Reader, fields ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	res, err := s.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	return res, string(all), err
}

func TestAComponentAnswers(t *testing.T) {
	s := serveComponent(t, func(o *Options) { o.Args, o.Env = []string{"app", "-v"}, []string{"A=b"} })
	for _, tc := range []struct {
		name, method, path string
		fields             []string
		status             int
		header             map[string]string
		body               string // "…" at its end: it begins so
	}{
		{"a plain one", "GET", "/hello", nil, 200, map[string]string{"Content-Type": "text/plain", "Content-Length": "6"}, "hello\n"},
		{"an instance of its own", "GET", "/counter", nil, 200, nil, "1\n"},
		{"another", "GET", "/counter", nil, 200, nil, "1\n"},
		{"what was asked", "PATCH", "/request?a=%20b&&c", nil, 200, nil, "method: patch\nscheme: http\nauthority: HOST\npath: /request?a=%20b&&c\n…"},
		{"a method of the client's", "PURGE", "/request", nil, 200, nil, "method: other PURGE\n…"},
		{"HEAD, with a length", "HEAD", "/hello", nil, 200, map[string]string{"Content-Length": "6"}, ""},
		{"a status", "GET", "/status?code=418&body=teapot", nil, 418, nil, "teapot"},
		{"a status that nobody knows", "GET", "/status?code=799", nil, 799, nil, ""},
		{"204", "GET", "/status?code=204", nil, 204, map[string]string{"Content-Length": ""}, ""},
		{"204, with a body that is not sent", "GET", "/status?code=204&body=x", nil, 204, nil, ""},
		{"304", "GET", "/status?code=304&field=etag:x", nil, 304, map[string]string{"Etag": "x"}, ""},
		{"fields", "GET", "/status?field=X-A:1&field=content-type:a/b&field=x-request-id:mine", nil, 200,
			map[string]string{"X-A": "1", "Content-Type": "a/b", "X-Request-Id": "mine"}, ""},
		{"no content-type that nobody gave", "GET", "/status?body=text", nil, 200, map[string]string{"Content-Type": ""}, "text"},
		{"a body that nobody asked for", "GET", "/no-body?code=201", nil, 201, map[string]string{"Content-Length": "0"}, ""},
		{"the environment and arguments", "GET", "/env", nil, 200, nil, "A=b\n"},
		{"the arguments", "GET", "/args", nil, 200, nil, "app\n-v\n"},
		{"no input", "GET", "/stdin", nil, 200, nil, "Ok(0)\n"},
		{"an unknown path", "GET", "/nothing", nil, 404, nil, "/nothing: no such behaviour\n"},
		{"an exit that is good, behind its answer", "GET", "/exit?head=1", nil, 200, nil, "exiting\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res, body, err := s.do(t, tc.method, tc.path, nil, tc.fields...)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(tc.body, "HOST", s.addr)
			if start, open := strings.CutSuffix(want, "…"); res.StatusCode != tc.status || body != want && !(open && strings.HasPrefix(body, start)) {
				t.Errorf("got %d %q", res.StatusCode, body)
			}
			for name, value := range tc.header {
				if res.Header.Get(name) != value {
					t.Errorf("%s: %q", name, res.Header.Get(name))
				}
			}
		})
	}
}

func TestWhatAComponentIsTold(t *testing.T) {
	s := serveComponent(t)
	for _, tc := range []struct {
		name, request string
		want, not     []string
	}{
		{"names are in lower case, and the connection's are missing",
			"GET /request HTTP/1.1\r\nHost: a:1\r\nX-UPPER: v\r\nAccept: 1\r\nAccept: 2\r\nKeep-Alive: x\r\nTE: trailers\r\nConnection: close\r\n\r\n",
			[]string{"authority: a:1", "header: x-upper=v", "header: accept=1\nheader: accept=2", "header: te=trailers", "header: x-request-id="},
			[]string{"keep-alive", "header: connection", "header: host"}},
		{"the client's own id", "GET /request HTTP/1.1\r\nHost: a\r\nX-Request-Id: 42\r\nConnection: close\r\n\r\n", []string{"header: x-request-id=42"}, nil},
		{"a whole URI", "GET http://b/request?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", []string{"authority: b", "path: /request?x"}, nil},
		{"HTTP/1.0 without a host", "GET /request HTTP/1.0\r\n\r\n", []string{"authority: none"}, nil},
		{"a path that is not made prettier", "GET /request?%zz%2f// HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", []string{"path: /request?%zz%2f//"}, nil},
		{"the trailers that the client announces",
			"POST /request HTTP/1.1\r\nHost: a\r\nTrailer: X-B, x-a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\nx-c: 1\r\n\r\n",
			[]string{"header: trailer=x-a, x-b\n"}, nil},
		{"large fields", "GET /request HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 60<<10) + "\r\nConnection: close\r\n\r\n", []string{strings.Repeat("x", 60<<10)}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, r := s.raw(t, tc.request)
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("got %d, %v", res.StatusCode, err)
			}
			for _, want := range tc.want {
				if !strings.Contains(string(body), want) {
					t.Errorf("it is not told %.80q: %.500s", want, body)
				}
			}
			for _, not := range tc.not {
				if strings.Contains(string(body), not) {
					t.Errorf("it is told %q: %s", not, body)
				}
			}
		})
	}
}

func TestAPathThatIsNoTextIsRefused(t *testing.T) {
	s := serveComponent(t)
	_, r := s.raw(t, "GET /\xe9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 400 {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestBodiesOfComponents(t *testing.T) {
	s := serveComponent(t)
	large := make([]byte, 5<<20)
	_, _ = rand.Read(large)
	for _, path := range []string{"/echo", "/echo?size=1000", "/splice", "/relay?url=" + s.url + "/echo"} {
		for _, size := range []int{0, 1, 4096, 4097, len(large)} {
			t.Run(fmt.Sprintf("%d bytes through %.10s", size, path), func(t *testing.T) {
				// Without a length: chunked.
				res, body, err := s.do(t, "POST", path, io.MultiReader(bytes.NewReader(large[:size])))
				if err != nil || res.StatusCode != 200 || body != string(large[:size]) {
					t.Errorf("got %v, %d bytes, %v", res, len(body), err)
				}
			})
		}
	}
	t.Run("an upload", func(t *testing.T) {
		_, body, err := s.do(t, "POST", "/upload", bytes.NewReader(large))
		if want := fmt.Sprintf("%d %08x\ntrailers: none\n", len(large), crc32.ChecksumIEEE(large)); body != want || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
	})
	for _, query := range []string{"n=0", "n=1", "n=65536", "n=5000000", "n=5000000&length=1"} {
		t.Run("a download, "+query, func(t *testing.T) {
			n := 0
			_, _ = fmt.Sscanf(query, "n=%d", &n)
			res, body, err := s.do(t, "GET", "/download?"+query, nil)
			if err != nil || body != pattern(n) {
				t.Errorf("got %d bytes, %v", len(body), err)
			}
			if announced := strings.Contains(query, "length"); announced && res.ContentLength != int64(n) {
				t.Errorf("announced %d", res.ContentLength)
			}
		})
	}
	t.Run("trailers, both ways", func(t *testing.T) {
		r, _ := http.NewRequest("POST", s.url+"/trailers?trailer=x-a:1&trailer=x-b:2", struct{ io.Reader }{strings.NewReader("hello")})
		r.Trailer = http.Header{"X-Sum": {"42"}}
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if string(body) != "hello" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
		if got := newFields(res.Trailer).text(); got != "x-a=1;x-b=2;x-request-x-sum=42;" {
			t.Errorf("trailers %s", got)
		}
	})
	t.Run("a body that nobody reads", func(t *testing.T) {
		for range 3 {
			if _, body, err := s.do(t, "POST", "/ignore", strings.NewReader("hello")); body != "ignored\n" || err != nil {
				t.Errorf("got %q, %v", body, err)
			}
		}
	})
}

func TestWhatComponentsDoWrong(t *testing.T) {
	s := serveComponent(t)
	for _, tc := range []struct {
		name, path string
		status     int // 0: cut
		body       string
		log        string
	}{
		{"no answer", "/never", 500, "gave no answer", "response-outparam.set"},
		{"an answer that is dropped", "/never?drop=1", 500, "gave no answer", "response-outparam.set"},
		{"an error-code", "/error", 500, "gave no answer", "internal-error: as asked"},
		{"an error-code with a payload", "/error?code=body-size", 500, "gave no answer", "HTTP-request-body-size"},
		{"a trap", "/trap", 500, "failed", "unreachable"},
		{"a panic", "/trap?panic=1", 500, "failed", "unreachable"},
		{"an exit", "/exit?code=3", 500, "failed", "exited with code"},
		{"a stack that is full", "/recurse", 500, "failed", "trapped"},
		{"a trap behind the head", "/trap-after-head", 0, "\x00\x00\x00\x00\x00\x00\x00\x00", "unreachable"},
		{"a trap behind much of the body", "/trap-after-head?n=200000", 0, strings.Repeat("\x00", 200000), "unreachable"},
		{"a body that is left", "/unfinished", 0, "\x00\x00\x00\x00\x00\x00\x00\x00", "outgoing-body.finish"},
		{"less than was announced", "/length", 0, "\x00\x00\x00\x00\x00", "outgoing-body.finish"},
		{"more than was announced", "/length?announce=3&send=5", 0, "", "outgoing-body.finish"},
		{"a status that announces an answer", "/no-body?code=103", 502, "no HTTP", "announces an answer"},
		{"a response that nobody can send", "/twice", 200, "once\n", ""},
		{"handles that are left", "/handles?n=2000", 200, "made\n", ""},
		{"an exit behind the answer", "/exit?head=1&code=4", 200, "exiting\n", "given before"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(s.log.String())
			res, body, err := s.do(t, "GET", tc.path, nil)
			switch {
			case tc.status == 0:
				if err == nil || body != tc.body {
					t.Errorf("got %v, %d bytes, %v", res, len(body), err)
				}
			case err != nil || res.StatusCode != tc.status || !strings.Contains(body, tc.body):
				t.Errorf("got %v %q, %v", res, body, err)
			}
			eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
			eventually(t, "the log says "+tc.log, func() bool { return strings.Contains(s.log.String()[before:], tc.log) })
		})
	}
}

func TestAComponentIsStoppedAtTheTimeout(t *testing.T) {
	s := serveComponent(t, timeout(300*time.Millisecond))
	for _, path := range []string{"/spin", "/sleep?ms=60000"} {
		if res, body, err := s.do(t, "GET", path, nil); err != nil || res.StatusCode != 504 {
			t.Errorf("%s: got %v %q, %v", path, res, body, err)
		}
		eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
	}
	if _, body, err := s.do(t, "GET", "/chunks?n=1000&ms=20", nil); err == nil || !strings.HasPrefix(body, "0000000\n") {
		t.Errorf("got %q, %v", body, err)
	}
	// The answer is whole long before.
	if res, body, err := s.do(t, "GET", "/spin?head=1", nil); err != nil || res.StatusCode != 200 || body != "spinning\n" {
		t.Errorf("got %v %q, %v", res, body, err)
	}
	eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
	eventually(t, "the log says so", func() bool { return strings.Contains(s.log.String(), `answer="given before"`) })
}

func TestAClientThatDoesNotReadCannotHoldAComponent(t *testing.T) {
	s := serveComponent(t, timeout(300*time.Millisecond))
	s.raw(t, "GET /download?n=1000000000 HTTP/1.1\r\nHost: x\r\n\r\n")
	eventually(t, "the instance runs", func() bool { return s.instances() == 1 })
	eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
	eventually(t, "the log says so", func() bool { return strings.Contains(s.log.String(), "MAYFLY_TIMEOUT") })
}

func TestAClientThatLeavesStopsItsComponent(t *testing.T) {
	hanging := rawServer(t, func(c net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	s := serveComponent(t)
	for _, tc := range []struct{ name, request string }{
		{"asleep", "GET /sleep?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"asleep behind its head", "GET /sleep?head=1&ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"computing", "GET /spin HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"sending", "GET /download?n=4000000000 HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"receiving", "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"},
		{"asleep, sending more than is read ahead", "POST /sleep?ms=60000 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + pattern(100_000)},
		{"asking others", "GET /get?url=http://" + hanging + "/ HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := s.raw(t, tc.request)
			eventually(t, "the instance runs", func() bool { return s.instances() == 1 })
			c.Close()
			eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
		})
	}
}

func TestAnAnswerIsSentAsItIsMade(t *testing.T) {
	s := serveComponent(t)
	t.Run("piece by piece", func(t *testing.T) {
		res, err := s.client.Get(s.url + "/chunks?n=3&ms=200")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		r := bufio.NewReader(res.Body)
		if line, err := r.ReadString('\n'); line != "0000000\n" || err != nil || s.instances() != 1 {
			t.Errorf("got %q, %v, %d instances", line, err, s.instances())
		}
		rest, err := io.ReadAll(r)
		if string(rest) != "0000001\n0000002\n" || err != nil {
			t.Errorf("then %q, %v", rest, err)
		}
	})
	t.Run("in a conversation", func(t *testing.T) {
		c, r := s.raw(t, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
		for _, word := range []string{"hello", "world"} {
			fmt.Fprintf(c, "%x\r\n%s\r\n", len(word), word)
			for line := ""; line != word+"\r\n"; {
				var err error
				if line, err = r.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	t.Run("also where the client goes on sending", func(t *testing.T) {
		eventually(t, "the instances before are gone", func() bool { return s.instances() == 0 })
		c, r := s.raw(t, "POST /late?ms=1000 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
		_, _ = c.Write(make([]byte, 5000))
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); string(body) != "answered\n" || err != nil || s.instances() != 1 {
			t.Errorf("got %q, %v, %d instances", body, err, s.instances())
		}
		eventually(t, "it ends as it means to", func() bool { return strings.Contains(s.stderr.String(), "late: done") })
	})
	t.Run("and then the connection is free for the next request", func(t *testing.T) {
		c, r := s.raw(t, "POST /late?ms=3000 HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n")
		_, _ = c.Write(make([]byte, 2000))
		for _, next := range []string{strings.Repeat("\x00", 1000) + "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", ""} {
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); res.StatusCode != 200 || err != nil {
				t.Errorf("got %d %q, %v", res.StatusCode, body, err)
			}
			_, _ = io.WriteString(c, next)
		}
		eventually(t, "only the first is left", func() bool { return s.instances() == 1 })
		eventually(t, "it ends as it means to", func() bool { return s.instances() == 0 })
	})
	t.Run("and is whole before the guest ends", func(t *testing.T) {
		for range 2 { // on one connection
			if _, body, err := s.do(t, "GET", "/late?ms=1000", nil); body != "answered\n" || err != nil {
				t.Errorf("got %q, %v", body, err)
			}
		}
		if n := s.instances(); n == 0 {
			t.Error("the guests have ended first")
		}
		eventually(t, "they end as they mean to", func() bool { return strings.Count(s.stderr.String(), "late: done") == 4 })
	})
}

func TestAGuestThatGoesOnIsWaitedFor(t *testing.T) {
	s := serveComponent(t)
	if _, body, err := s.do(t, "GET", "/late?ms=300", nil); body != "answered\n" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	s.stop()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	if got := s.stderr.String(); got != "late: done\n" {
		t.Errorf("the guest said %q", got)
	}
}

func TestAGuestThatGoesOnIsNoIdleness(t *testing.T) {
	s := serveComponent(t, sidecar(func(c *config.Sidecar) { c.IdleTimeout = 500 * time.Millisecond }))
	s.client.Transport.(*http.Transport).DisableKeepAlives = true
	if _, body, err := s.do(t, "GET", "/late?ms=1500", nil); body != "answered\n" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	if err := <-s.done; !errors.Is(err, ErrIdle) || s.stderr.String() != "late: done\n" {
		t.Errorf("left with %v, and the guest said %q", err, s.stderr)
	}
}

func TestTheClientIsToldToContinueWhenTheGuestReads(t *testing.T) {
	s := serveComponent(t)
	t.Run("it does", func(t *testing.T) {
		c, r := s.raw(t, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		if line, err := r.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" || err != nil {
			t.Fatalf("got %q, %v", line, err)
		}
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(c, "hello")
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); !strings.HasPrefix(string(body), "5 ") || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("it does not", func(t *testing.T) {
		_, r := s.raw(t, "POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		if line, err := r.ReadString('\n'); line != "HTTP/1.1 200 OK\r\n" || err != nil {
			t.Errorf("got %q, %v", line, err)
		}
	})
}

func TestABodyTooLargeForAComponent(t *testing.T) {
	s := serveComponent(t, sidecar(func(c *config.Sidecar) { c.MaxBody = 1000 }))
	for name, body := range map[string]io.Reader{"that says so": bytes.NewReader(make([]byte, 2000)), "that does not": io.MultiReader(bytes.NewReader(make([]byte, 2000)))} {
		t.Run(name, func(t *testing.T) {
			if res, _, err := s.do(t, "POST", "/upload", body); err != nil || res.StatusCode != 413 {
				t.Errorf("got %v, %v", res, err)
			}
		})
	}
}

func TestComponentsOverHTTP2(t *testing.T) {
	s := serveComponent(t)
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	s.client.Transport.(*http.Transport).Protocols = p
	large := pattern(1 << 20)
	if res, body, err := s.do(t, "POST", "/echo", strings.NewReader(large)); err != nil || body != large || res.ProtoMajor != 2 {
		t.Errorf("got %v, %d bytes, %v", res, len(body), err)
	}
	if _, body, err := s.do(t, "GET", "/trap-after-head", nil); err == nil {
		t.Errorf("got %q", body)
	}
	if res, body, err := s.do(t, "GET", "/late?ms=100", nil); err != nil || body != "answered\n" {
		t.Errorf("got %v, %q, %v", res, body, err)
	}
	if res, _, err := s.do(t, "POST", "/trailers?trailer=x-a:1", strings.NewReader("x")); err != nil || res.Trailer.Get("X-A") != "1" {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestAComponentAsksOthers(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
	}))
	defer other.Close()
	s := serveComponent(t)
	ask := func(path, target string) string {
		_, body, err := s.do(t, "GET", path+url.QueryEscape(target), nil)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	if got := ask("/get?method=POST&body=hello&url=", other.URL+"/a?b"); !strings.HasPrefix(got, "status 200\n") || !strings.HasSuffix(got, "\nPOST /a?b hello") {
		t.Errorf("got %q", got)
	}
	if got := ask("/get?url=", "http://example.com/"); !strings.Contains(got, "handle: http-request-denied") && !strings.Contains(got, "denied") {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(s.log.String(), "refused a connection") {
		t.Error("the log does not say so")
	}
	if got := ask("/get?url=", "http://127.0.0.1:1/"); !strings.Contains(got, "connection-refused") {
		t.Errorf("got %q", got)
	}
	if got := ask("/both?url="+url.QueryEscape(other.URL)+"&url=", other.URL+"/b"); strings.Count(got, " 200\n") != 2 {
		t.Errorf("got %q", got)
	}
	for _, path := range []string{"/cancel?url=", "/cancel?after=head&url="} {
		if got := ask(path, other.URL); !strings.HasPrefix(got, "dropped") {
			t.Errorf("got %q", got)
		}
	}
}

func TestWhatAComponentPrintsIsLogged(t *testing.T) {
	s := serveComponent(t)
	if _, body, err := s.do(t, "GET", "/print?out=one&err=two", nil); body != "printed\n" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	if got := s.stderr.String(); got != "one\ntwo\n" {
		t.Errorf("logged %q", got)
	}
}

func TestAComponentHasFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := guestfs.OpenDirs([]guestfs.Mount{{Host: dir, Guest: "/data"}})
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	s := serveComponent(t, func(o *Options) { o.Files = files })
	if _, body, err := s.do(t, "GET", "/read?path=/data/a", nil); body != "hello" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	if res, body, err := s.do(t, "GET", "/read?path=/etc/passwd", nil); err != nil || res.StatusCode != 404 {
		t.Errorf("got %v %q, %v", res, body, err)
	}
}

func TestACommandThatIsAComponent(t *testing.T) {
	run := func(args []string, stdin string) (string, error) {
		app, _, _ := load(t, "hello", built(t, "command"), func(o *Options) { o.Args = args })
		if app.Trigger != config.TriggerCommand {
			t.Errorf("it would be started by %s", app.Trigger)
		}
		var stdout bytes.Buffer
		err := app.Command(t.Context(), strings.NewReader(stdin), &stdout, io.Discard)
		return stdout.String(), err
	}
	if out, err := run([]string{"app", "cat"}, "hello"); !strings.Contains(out, "hello") || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
	var exit *instance.ExitError
	if out, err := run([]string{"app", "exit", "3"}, ""); !errors.As(err, &exit) {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestACommandIsStoppedWhileItWaitsForInput(t *testing.T) {
	app, _, _ := load(t, "hello", built(t, "command"), func(o *Options) { o.Args = []string{"app", "cat"} })
	in, out := io.Pipe() // of which no read can be ended
	defer out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Command(ctx, in, io.Discard, io.Discard) }()
	_, _ = io.WriteString(out, "hello") // it reads
	cancel()
	if err := <-ended; !errors.Is(err, instance.ErrStopped) {
		t.Errorf("ended with %v", err)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	for _, tc := range []struct {
		name, guest string
		trigger     config.TriggerKind
		outbound    string
		is          error // nil: any
		says        string
	}{
		{"a command that is to answer requests", "command", config.TriggerHTTP, "", ErrTrigger, "MAYFLY_TRIGGER=command"},
		{"what answers requests and is to be a command", behaviours, config.TriggerCommand, "", ErrTrigger, "MAYFLY_TRIGGER=http"},
		{"a component that is neither", "words", "", "", ErrTrigger, "mayfly:guests/words"},
		{"a component that wants another", "front", "", "", component.ErrImport, "wac plug"},
		{"one that may go where nobody can", behaviours, "", "https//example.com", nil, `MAYFLY_ALLOWED_OUTBOUND: the entry "https//example.com"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := config.Parse(nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Trigger, c.AllowedOutbound = tc.trigger, tc.outbound
			_, err = Load(context.Background(), Options{Wasm: guests.Component(t, tc.guest), Sidecar: c})
			if err == nil || tc.is != nil && !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}
