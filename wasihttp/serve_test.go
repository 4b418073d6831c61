package wasihttp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
)

func idle(d time.Duration) option { return sidecar(func(c *config.Sidecar) { c.IdleTimeout = d }) }

func TestAConnectionServesManyRequests(t *testing.T) {
	s := serve(t, "echo")
	c, r := s.raw(t, "")
	for range 5 {
		if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 || !strings.HasSuffix(string(body), "\n\nhello") {
			t.Fatalf("got %d %s", res.StatusCode, body)
		}
	}
}

func TestABodyNobodyReadDoesNotBecomeARequest(t *testing.T) {
	for _, tc := range []struct{ name, guest, request string }{
		{"chunks that stop", "hello", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
		{"a length not sent", "hello", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello"},
		{"behind a refusal", "no-output", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.guest)
			c, r := s.raw(t, tc.request)
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.ReadAll(res.Body)
			_, _ = io.WriteString(c, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
			if res, err := http.ReadResponse(r, nil); err == nil {
				t.Errorf("a second answer: %d", res.StatusCode)
			}
			if strings.Contains(s.log.String(), "smuggled") {
				t.Error("the body's rest became a request")
			}
		})
	}
}

func TestAConnectionEndsWithARequestThatWasStoppedInItsBody(t *testing.T) {
	s := serve(t, "sleep", timeout(100*time.Millisecond))
	for _, tc := range []struct {
		name, request string
		ends          bool
	}{
		{"one whose body has not all come", "POST /?ms=60000 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx", true},
		{"one without a body", "GET /?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, r := s.raw(t, tc.request)
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.ReadAll(res.Body)
			if res.StatusCode != 504 || res.Close != tc.ends {
				t.Errorf("got %d, close %t", res.StatusCode, res.Close)
			}
			_, _ = io.WriteString(c, "GET /?ms=1 HTTP/1.1\r\nHost: x\r\n\r\n")
			if res, err := http.ReadResponse(r, nil); (err == nil) == tc.ends || !tc.ends && res.StatusCode != 200 {
				t.Errorf("a second answer: %v, %v", res, err)
			}
			if code, _, err := s.try("/?ms=1"); err != nil || code.StatusCode != 200 {
				t.Errorf("on another connection: %v, %v", code, err)
			}
		})
	}
}

func TestRefusalsLeaveTheConnectionInOrder(t *testing.T) {
	s := serve(t, "no-output")
	c, r := s.raw(t, "")
	for range 3 {
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(res.Body)
		if res.StatusCode != 502 {
			t.Errorf("got %d", res.StatusCode)
		}
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	s := serve(t, "echo")
	s.useHTTP2()
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			res, body, err := s.try("/p?q")
			if err != nil || res.Proto != "HTTP/2.0" || !strings.Contains(body, "path: /p\nquery: q\nprotocol: HTTP/2.0\n") {
				t.Errorf("got %v %q, %v", res, body, err)
			}
		})
	}
	wait.Wait()
}

func TestAnAnswerThatBreaksOffIsAnErrorInHTTP2(t *testing.T) {
	s := serve(t, "trap-late")
	s.useHTTP2()
	if _, body, err := s.try("/"); err == nil {
		t.Errorf("got %q and no error", body)
	}
}

func TestAStuckGuestIsStoppedInHTTP2(t *testing.T) {
	s := serve(t, "bigbody-in", timeout(200*time.Millisecond))
	s.useHTTP2()
	in, out := io.Pipe()
	defer out.Close()
	r, _ := http.NewRequest("POST", s.url, in)
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 504 {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	s := serve(t, "sleep")
	got := make(chan string, 1)
	go func() {
		_, body, err := s.try("/?ms=300")
		got <- body
		if err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the instance runs", func() bool { return s.instances() == 1 })
	s.stop()
	if body := <-got; body != "slept\n" {
		t.Errorf("got %q", body)
	}
	if err := <-s.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if !strings.Contains(s.log.String(), "stopped finished=1 cut=0") {
		t.Errorf("the log does not tell:\n%s", s.log)
	}
	if _, err := net.Dial("tcp", s.addr); err == nil {
		t.Error("it listens still")
	}
}

func TestWhatDoesNotFinishIsCut(t *testing.T) {
	for _, tc := range []struct {
		name  string
		drain time.Duration
		cut   bool
	}{
		{"at the drain timeout", 100 * time.Millisecond, false},
		{"by a second signal", time.Minute, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, "sleep", sidecar(func(c *config.Sidecar) { c.DrainTimeout = tc.drain }))
			got := make(chan int, 1)
			go func() {
				res, _, err := s.try("/?ms=60000")
				if err != nil {
					t.Error(err)
					got <- 0
					return
				}
				got <- res.StatusCode
			}()
			eventually(t, "the instance runs", func() bool { return s.instances() == 1 })
			s.stop()
			if tc.cut {
				eventually(t, "it stops accepting", func() bool {
					c, err := net.Dial("tcp", s.addr)
					if err == nil {
						c.Close()
					}
					return err != nil
				})
				s.app.Server.Cut()
			}
			if code := <-got; code != 503 {
				t.Errorf("got %d", code)
			}
			if err := <-s.done; err != nil {
				t.Errorf("Serve: %v", err)
			}
			if !strings.Contains(s.log.String(), "stopped finished=0 cut=1") {
				t.Errorf("the log does not tell:\n%s", s.log)
			}
		})
	}
}

func TestDrainDoesNotWaitForIdleConnections(t *testing.T) {
	s := serve(t, "hello")
	s.raw(t, "") // says nothing
	c, r := s.raw(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	s.stop()
	<-s.done
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestIdleIsNoRequestInFlight(t *testing.T) {
	s := serve(t, "sleep", idle(200*time.Millisecond))
	start := time.Now()
	if _, body := s.get(t, "/?ms=600"); body != "slept\n" { // longer than the idle timeout
		t.Errorf("got %q", body)
	}
	// The client's connection stays open, idle, and does not count.
	if err := <-s.done; !errors.Is(err, ErrIdle) {
		t.Errorf("Serve: %v", err)
	}
	if d := time.Since(start); d < 750*time.Millisecond {
		t.Errorf("it left after %s", d)
	}
}

func TestIdleConnectionsOfHTTP2DoNotCount(t *testing.T) {
	s := serve(t, "hello", idle(200*time.Millisecond))
	s.useHTTP2()
	s.get(t, "/")
	if err := <-s.done; !errors.Is(err, ErrIdle) {
		t.Errorf("Serve: %v", err)
	}
}

func TestWithAnIdleTimeoutOfZeroItLeavesAtOnceAndServesWhatItWasGiven(t *testing.T) {
	app, _, _ := load(t, "hello", idle(0))
	l, client, given := accepted(t)
	_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := app.Server.Serve(t.Context(), []net.Listener{l}, []net.Conn{given}); !errors.Is(err, ErrIdle) {
		t.Errorf("Serve: %v", err)
	}
	res, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil || res.StatusCode != 200 {
		t.Errorf("got %v, %v", res, err)
	}
}

// A socket that several engines share one after the other, as the holder has them share it: each leaves at once when idle, and
// clients come all the time. No request may be lost.
func TestNoConnectionIsLostWhenAnEngineLeaves(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File() // what the holder keeps
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	ctx, stop := context.WithCancel(t.Context())
	engines := 0
	var holder sync.WaitGroup
	holder.Go(func() {
		for ctx.Err() == nil {
			copied, err := net.FileListener(file)
			if err != nil {
				t.Error(err)
				return
			}
			app, _, _ := load(t, "hello", idle(time.Millisecond))
			if err := app.Server.Serve(ctx, []net.Listener{copied}, nil); err != nil && !errors.Is(err, ErrIdle) {
				t.Error(err)
			}
			engines++
		}
	})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
			for i := range 150 {
				res, err := client.Get("http://" + l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Errorf("got %d", res.StatusCode)
				}
				time.Sleep(time.Duration(i%5) * time.Millisecond)
			}
		})
	}
	clients.Wait()
	stop()
	holder.Wait()
	if engines < 3 {
		t.Errorf("only %d engines came and went: nothing was tried", engines)
	}
}

func TestAUnixSocketStaysWhenTheServerLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	app, _, _ := load(t, "env", idle(100*time.Millisecond))
	done := make(chan error, 1)
	go func() { done <- app.Server.Serve(t.Context(), []net.Listener{l}, nil) }()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://x/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if !strings.Contains(string(body), "REMOTE_ADDR=127.0.0.1\n") {
		t.Errorf("the guest sees:\n%s", body)
	}
	if err := <-done; !errors.Is(err, ErrIdle) {
		t.Errorf("Serve: %v", err)
	}
	if found, _ := filepath.Glob(path); len(found) != 1 {
		t.Error("the socket is gone")
	}
}
