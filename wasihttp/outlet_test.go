package wasihttp

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// testOutlet has a reader from the start.
func testOutlet(declared int64, response bool) *outlet {
	o := newOutlet(declared, response)
	o.poke = make(chan struct{}, 1)
	return o
}

// poked reports whether the reader has been told of something.
func (o *outlet) poked() bool {
	select {
	case <-o.poke:
		return true
	default:
		return false
	}
}

func TestAnOutletHoldsNoMoreThanItMay(t *testing.T) {
	o := testOutlet(-1, true)
	s := &outletStream{outlet: o}
	total := 0
	for {
		n, err := s.CheckWrite()
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		if err := s.Write(make([]byte, min(n, 5000))); err != nil {
			t.Fatal(err)
		}
		total += min(n, 5000)
	}
	if total != outletSize || s.Ready() {
		t.Errorf("it took %d bytes, ready %t", total, s.Ready())
	}
	woken := 0
	stop := s.Watch(func() { woken++ })
	defer stop()
	if p, end := o.take(nil); len(p) != total || end != open || woken != 1 || !s.Ready() {
		t.Errorf("it gave %d bytes, ended %d, woke %d times, ready %t", len(p), end, woken, s.Ready())
	}
}

func TestWhenAnOutletsReaderIsTold(t *testing.T) {
	small := []byte("hello")
	t.Run("a little may wait", func(t *testing.T) {
		o := testOutlet(-1, true)
		_ = o.write(small)
		o.mu.Lock()
		waiting := o.soonest != nil
		o.mu.Unlock()
		if !waiting && !o.poked() {
			t.Error("nobody will tell")
		}
		<-o.poke // soon
	})
	t.Run("longer if the client waits for a word", func(t *testing.T) {
		o := testOutlet(-1, true)
		o.request = &body{expected: true}
		if d := o.moment(); d != flushExpected {
			t.Errorf("the reader is told after %s", d)
		}
		o.request.expected = false // something has come
		if d := o.moment(); d != flushAfter {
			t.Errorf("the reader is told after %s, and the client has begun", d)
		}
	})
	t.Run("unless the guest waits", func(t *testing.T) {
		o := testOutlet(-1, true)
		_ = o.write(small)
		stop := (&outletStream{outlet: o}).Watch(func() {})
		defer stop()
		if !o.poked() {
			t.Error("it is not told")
		}
	})
	t.Run("or the reader is eager", func(t *testing.T) {
		o := newOutlet(-1, false)
		o.eager = true
		if _ = o.write(small); !o.poked() {
			t.Error("it is not told")
		}
	})
	t.Run("much does not", func(t *testing.T) {
		o := testOutlet(-1, true)
		if _ = o.write(make([]byte, worthSending)); !o.poked() {
			t.Error("it is not told")
		}
	})
	t.Run("nor does the end", func(t *testing.T) {
		for _, end := range []func(*outlet){func(o *outlet) { _ = o.finish(nil) }, (*outlet).abort} {
			o := testOutlet(-1, true)
			_ = o.write(small)
			if end(o); !o.poked() {
				t.Error("it is not told")
			}
		}
	})
}

func TestHowAnOutletEnds(t *testing.T) {
	for _, tc := range []struct {
		name     string
		declared int64
		write    int
		end      func(*outlet) error
		want     ending
		code     int // of end; 0: it goes well
	}{
		{"finished", -1, 5, func(o *outlet) error { return o.finish(nil) }, finished, 0},
		{"finished as announced", 5, 5, func(o *outlet) error { return o.finish(nil) }, finished, 0},
		{"finished early", 6, 5, func(o *outlet) error { return o.finish(nil) }, broken, codeResponseBodySize},
		{"left", -1, 5, func(o *outlet) error { o.abort(); return nil }, broken, 0},
		{"left after the end", -1, 5, func(o *outlet) error { defer o.abort(); return o.finish(nil) }, finished, 0},
		{"going on", -1, 5, func(o *outlet) error { return nil }, open, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := testOutlet(tc.declared, true)
			if err := o.write(bytes.Repeat([]byte("x"), tc.write)); err != nil {
				t.Fatal(err)
			}
			var code *codeError
			if err := tc.end(o); errors.As(err, &code) != (tc.code != 0) || code != nil && code.code != tc.code {
				t.Errorf("got %v", err)
			}
			if p, end := o.take(nil); len(p) != tc.write || end != tc.want {
				t.Errorf("it gave %d bytes, ended %d", len(p), end)
			}
		})
	}
	t.Run("with more than was announced", func(t *testing.T) {
		o := newOutlet(3, false)
		var code *codeError
		if err := o.write([]byte("hello")); !errors.As(err, &code) || code.code != codeRequestBodySize {
			t.Errorf("got %v", err)
		}
		if p, _ := o.take(nil); len(p) != 0 {
			t.Errorf("it gave %q", p)
		}
	})
	t.Run("with trailers", func(t *testing.T) {
		o := testOutlet(-1, true)
		if err := o.finish(http.Header{"X": {"y"}}); err != nil || o.trailers.Get("X") != "y" {
			t.Errorf("got %v, %v", err, o.trailers)
		}
	})
	t.Run("by its reader", func(t *testing.T) {
		o := testOutlet(-1, true)
		s := &outletStream{outlet: o}
		_ = o.write(make([]byte, outletSize))
		woken := 0
		stop := s.Watch(func() { woken++ })
		defer stop()
		o.refuse(wasiio.ErrClosed)
		if _, err := s.CheckWrite(); err != wasiio.ErrClosed || woken != 1 || !s.Ready() {
			t.Errorf("got %v, woke %d times", err, woken)
		}
		if err := s.Write([]byte("x")); err != wasiio.ErrClosed {
			t.Errorf("then %v", err)
		}
		if err := o.finish(nil); err != nil {
			t.Errorf("and at the end %v", err)
		}
	})
}
