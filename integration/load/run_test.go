package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// target asks a server that h is, and wants "hello".
func target(t *testing.T, h http.HandlerFunc) *Target {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Target{Addr: s.Listener.Addr().String(), Path: "/", Patience: 10 * time.Second, Check: hello}
}

func hello(body []byte) error {
	if string(body) != "hello" {
		return errors.New("the body is not hello")
	}
	return nil
}

// after ends ctx when the server was asked n times.
func after(t *testing.T, n int64, h http.HandlerFunc) (context.Context, *atomic.Int64, http.HandlerFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := new(atomic.Int64)
	return ctx, asked, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) >= n {
			cancel()
		}
		h(w, r)
	}
}

func TestEachRequestHasAConnectionOfItsOwnIfItIsTo(t *testing.T) {
	connections := new(atomic.Int64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := (&Target{Addr: s.Listener.Addr().String(), Path: "/", Patience: 10 * time.Second, Check: hello, Anew: true}).Client()
	for range 3 {
		if took, err := c.Ask(t.Context()); err != nil || took <= 0 {
			t.Fatalf("%v, %v", took, err)
		}
	}
	if err := c.Close(); err != nil || connections.Load() != 3 {
		t.Errorf("%d connections for 3 requests, %v", connections.Load(), err)
	}
}

func TestEveryRightAnswerIsCounted(t *testing.T) {
	ctx, asked, h := after(t, 50, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })
	connections := new(atomic.Int64)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	at := &Target{Addr: s.Listener.Addr().String(), Path: "/", Patience: 10 * time.Second, Check: hello}
	r := Run(ctx, 4, time.Hour, at.Client)
	if n := int64(len(r.Times)); r.Failed != 0 || n < 50-2*4 || n > asked.Load() {
		t.Errorf("%d answers counted, %d failed (%v); the server was asked %d times", n, r.Failed, r.Why, asked.Load())
	}
	if c := connections.Load(); c < 1 || c > 4 {
		t.Errorf("4 clients made %d connections: they are to keep theirs", c)
	}
	if r.Rate() <= 0 || r.Spent <= 0 {
		t.Errorf("rate %v in %v", r.Rate(), r.Spent)
	}
}

func TestAWrongAnswerIsAFailureAndNoTime(t *testing.T) {
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		why  string
	}{
		{"another status", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "hello", http.StatusServiceUnavailable) }, "the status is 503"},
		{"another body", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "good bye") }, `the body is not hello: "good bye"`},
		{"half an answer", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			fmt.Fprint(w, "hel")
		}, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, _, h := after(t, 3, c.h)
			r := Run(ctx, 1, time.Hour, target(t, h).Client)
			if len(r.Times) != 0 || r.Failed < 1 || r.Why == nil || !strings.Contains(r.Why.Error(), c.why) {
				t.Errorf("%d answers, %d failed: %v", len(r.Times), r.Failed, r.Why)
			}
		})
	}
}

func TestAServerThatDoesNotAnswerIsAFailure(t *testing.T) {
	ended := make(chan struct{})
	at := target(t, func(http.ResponseWriter, *http.Request) { <-ended })
	t.Cleanup(func() { close(ended) }) // before the server is closed, which waits
	at.Patience = 20 * time.Millisecond
	r := Run(t.Context(), 1, 30*time.Millisecond, at.Client)
	var timeout net.Error
	if r.Failed < 1 || !errors.As(r.Why, &timeout) || !timeout.Timeout() {
		t.Errorf("%d failed: %v", r.Failed, r.Why)
	}
}

func TestAServerThatClosesEachConnectionIsAskedOnNewOnes(t *testing.T) {
	ctx, _, h := after(t, 10, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, "hello")
	})
	if r := Run(ctx, 1, time.Hour, target(t, h).Client); r.Failed != 0 || len(r.Times) < 8 {
		t.Errorf("%d answers, %d failed: %v", len(r.Times), r.Failed, r.Why)
	}
}

func TestTheFirstAnswerIsWaitedFor(t *testing.T) {
	asked := new(atomic.Int64)
	at := target(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 4 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "hello")
	})
	if err := First(t.Context(), at.Client()); err != nil || asked.Load() != 4 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}

func TestAFirstAnswerThatDoesNotComeIsAnErrorThatSaysWhatCame(t *testing.T) {
	ctx, _, h := after(t, 3, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "never", http.StatusTeapot) })
	err := First(ctx, target(t, h).Client())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkAsk(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	defer s.Close()
	c := (&Target{Addr: s.Listener.Addr().String(), Path: "/", Patience: 10 * time.Second, Check: hello}).Client()
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Ask(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
