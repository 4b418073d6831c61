package wasihttp

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestInformationalResponses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(requestIDField, "id")
		var reply reply
		reply.begin(&exchange{w: w, r: r, ctx: r.Context(), id: "id"})
		hints := &fields{list: []field{{"link", "</style.css>"}, {"X-Request-Id", "mine"}}}
		if err := reply.inform(http.StatusEarlyHints, hints); err != nil {
			t.Error(err)
		}
		for _, status := range []int{99, 101, 200} {
			if err := reply.inform(status, hints); err == nil {
				t.Errorf("%d was sent", status)
			}
		}
	}))
	defer s.Close()
	var early []textproto.MIMEHeader
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			if code != http.StatusEarlyHints {
				t.Errorf("got %d", code)
			}
			early = append(early, header)
			return nil
		},
	})
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if len(early) != 1 || early[0].Get("Link") != "</style.css>" || early[0].Get("X-Request-Id") != "mine" {
		t.Errorf("early: %v", early)
	}
	if res.Header.Get("Link") != "" || res.Header.Get("X-Request-Id") != "id" {
		t.Errorf("then: %v", res.Header)
	}
}

// deadlineWriter notes whether a deadline was set.
type deadlineWriter struct {
	httptest.ResponseRecorder
	set atomic.Bool
}

func (w *deadlineWriter) SetReadDeadline(time.Time) error  { w.set.Store(true); return nil }
func (w *deadlineWriter) SetWriteDeadline(time.Time) error { w.set.Store(true); return nil }

func TestAGuestThatEndsBehindItsAnswerLeavesTheConnectionAlone(t *testing.T) {
	s := newServer(settings{MaxInstances: 1, Log: slog.New(slog.DiscardHandler)}, nil)
	answer := make([]byte, 2*smallAnswer) // smaller ones are sent without deadlines
	for range 20_000 {
		w := &deadlineWriter{ResponseRecorder: *httptest.NewRecorder()}
		x := &exchange{server: s, w: w, rc: http.NewResponseController(w), r: httptest.NewRequest("GET", "/", nil)}
		x.life.begin(t.Context(), time.Now(), time.Now().Add(time.Hour))
		x.ctx, x.in = &x.life, &x.none
		x.none.err = io.EOF
		s.handlers.RLock()
		r := &reply{}
		r.begin(x)
		var guest sync.WaitGroup
		guest.Go(func() {
			out := newOutlet(-1, true)
			out.buf, out.ending = answer, finished
			response := &outgoingResponse{status: http.StatusOK, message: message{fields: &fields{}, out: out}}
			r.answer(response, r.check(response))
			runtime.Gosched()
			r.end(nil)
		})
		if _, err := r.deliver(); err != nil {
			t.Fatal(err)
		}
		guest.Wait()
		if w.set.Load() {
			t.Fatal("deadlines that have passed were set, and the answer is not sent yet")
		}
		if !x.detached {
			x.done()
		}
	}
}
