package wasihttp

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// An engine that leaves at once is woken by who says first that it speaks HTTP/2, and only then what it wants.
func TestWhoGreetsInHTTP2MayAsk(t *testing.T) {
	app, _, _ := load(t, "hello", idle(0))
	l, client, given := accepted(t)
	_ = client.SetDeadline(time.Now().Add(20 * time.Second))
	served := make(chan error, 1)
	go func() { served <- app.Server.Serve(t.Context(), []net.Listener{l}, []net.Conn{given}) }()

	framer := http2.NewFramer(client, client)
	_, err := client.Write([]byte(http2.ClientPreface))
	if err := errors.Join(err, framer.WriteSettings()); err != nil {
		t.Fatal(err)
	}
	next := func() http2.Frame {
		f, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := f.(*http2.GoAwayFrame); ok && f.LastStreamID == 0 {
			t.Fatal("it left, and did not wait for the request")
		}
		return f
	}
	for acked := false; !acked; { // it has read what we are
		f, ok := next().(*http2.SettingsFrame)
		acked = ok && f.IsAck()
	}
	time.Sleep(50 * time.Millisecond) // so that it leaves, if it does
	if err := ask(framer, true, [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}}); err != nil {
		t.Fatal(err)
	}
	for {
		if f, ok := next().(*http2.DataFrame); ok {
			if string(f.Data()) != "hello\n" {
				t.Errorf("got %q", f.Data())
			}
			break
		}
	}
	if err := <-served; !errors.Is(err, ErrIdle) {
		t.Errorf("Serve: %v", err)
	}
}

// ask sends a connection's first request, or its beginning.
func ask(framer *http2.Framer, whole bool, fields [][2]string) error {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, f := range fields {
		_ = e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: whole})
}

func TestWhoGreetsInHTTP2AndAsksNothingIsWaitedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{tally: newTally()}
		expect := func(when string, busy, fresh int) {
			t.Helper()
			synctest.Wait()
			if b, f := s.tally.count(); b != busy || f != fresh {
				t.Errorf("%s: %d busy, %d of them fresh, want %d and %d", when, b, f, busy, fresh)
			}
		}
		says, asks := &conn{}, &conn{}
		for _, c := range []*conn{says, asks} {
			s.observe(c, http.StateNew)
			s.observe(c, http.StateActive)
			s.observe(c, http.StateIdle) // so net/http calls it
		}
		time.Sleep(readHeaderTimeout - time.Second)
		expect("before the time is over", 2, 2)
		s.observe(asks, http.StateActive)
		asks.asked.Store(true)
		expect("one asks", 2, 1)
		time.Sleep(2 * time.Second)
		expect("the time is over", 1, 0)
		s.observe(asks, http.StateIdle)
		expect("the answer is there", 0, 0)
		s.observe(says, http.StateActive)
		expect("the other asks after all", 1, 0)
		s.observe(says, http.StateClosed)
		expect("it goes", 0, 0)
	})
}
