package wasihttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

// What does a hello cost, from the client's first byte to its last, over loopback and one connection?
func BenchmarkRequest(b *testing.B) {
	s := serve(b, "hello")
	b.ReportAllocs()
	for b.Loop() {
		if _, body := s.get(b, "/"); body != "hello\n" {
			b.Fatal(body)
		}
	}
}

// And how many of them a second, with as many clients as processors?
func BenchmarkRequestParallel(b *testing.B) {
	s := serve(b, "hello")
	s.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 100
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := s.try("/"); err != nil {
				b.Error(err)
			}
		}
	})
}

// What of it is ours, without net/http's connection?
func BenchmarkExchange(b *testing.B) {
	app, _, _ := load(b, "hello")
	h := http.HandlerFunc(app.Server.serveHTTP)
	r := httptest.NewRequest("GET", "/path?query", nil)
	r.Header.Set("User-Agent", "benchmark")
	r.Header.Set("Accept", "*/*")
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// And where a component answers?
func BenchmarkComponentExchange(b *testing.B) {
	for _, c := range []struct {
		name, guest string
		options     []option
	}{
		{behaviours, behaviours, nil}, {"time-c", "time-c", nil}, {"time-rust", "time-rust", nil}, {"time-go", "time-go", nil},
		{"time-go with a snapshot", "time-go", []option{snapshot}}, {"time-javascript", "time-javascript", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			wasm, ok := guests.Built(c.guest)
			if !ok {
				b.Skip("not built: make guests")
			}
			app, _, _ := load(b, "hello", append(c.options, func(o *Options) { o.Wasm = wasm })...)
			h := http.HandlerFunc(app.Server.serveHTTP)
			r := httptest.NewRequest("GET", "/hello?query", nil)
			r.Header.Set("User-Agent", "benchmark")
			r.Header.Set("Accept", "*/*")
			b.ReportAllocs()
			before := app.runtime.Resets()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
			b.ReportMetric(float64(app.runtime.Resets().Since(before).Per().Nanoseconds()), "reset-ns/op")
		})
	}
}

// How fast does a body go through a component and back?
func BenchmarkComponentEcho(b *testing.B) {
	s := serve(b, "hello", built(b, behaviours))
	body := pattern(4 << 20)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		res, err := s.client.Post(s.url+"/splice", "x/y", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); n != int64(len(body)) || err != nil {
			b.Fatal(n, err)
		}
		res.Body.Close()
	}
}

// What does the environment of a request cost?
func BenchmarkEnviron(b *testing.B) {
	r := httptest.NewRequest("GET", "/path?query", nil)
	for _, f := range []string{"User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Cookie", "X-Forwarded-For"} {
		r.Header.Set(f, "some value")
	}
	e := newEnviron([]string{"PATH=/bin", "HOSTNAME=pod", "KUBERNETES_SERVICE_HOST=10.0.0.1"})
	b.ReportAllocs()
	for b.Loop() {
		e.of(r, "id")
	}
}

// How fast does a body go through a guest and back?
func BenchmarkEcho(b *testing.B) {
	s := serve(b, "echo-stream")
	body := pattern(4 << 20)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		res, err := s.client.Post(s.url, "x/y", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); n != int64(len(body)) || err != nil {
			b.Fatal(n, err)
		}
		res.Body.Close()
	}
}

// And how fast does a guest's own answer leave?
func BenchmarkDownload(b *testing.B) {
	s := serve(b, "bigbody-out")
	const size = 4 << 20
	b.SetBytes(size)
	for b.Loop() {
		res, err := s.client.Get(s.url + "/?n=4194304")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
			b.Fatal(n, err)
		}
		res.Body.Close()
	}
}

// What does a head cost?
func BenchmarkHead(b *testing.B) {
	text := []byte("Status: 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nX-Powered-By: mayfly\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		var h head
		if _, complete, err := h.feed(text); !complete || err != nil {
			b.Fatal(err)
		}
	}
}
