package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// origin is the server that guests ask. It answers the same whenever it is asked the same.
type origin struct {
	addr   string
	server *http.Server
	ended  chan error
}

func startOrigin() (*origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for what guests ask: %w", err)
	}
	o := &origin{addr: l.Addr().String(), ended: make(chan error, 1)}
	o.server = &http.Server{Handler: originHandler(), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	go func() { o.ended <- o.server.Serve(l) }()
	return o, nil
}

// close ends the server and what it still answers.
func (o *origin) close() error {
	err := o.server.Close()
	if e := <-o.ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

func originHandler() http.Handler {
	mux := http.NewServeMux()
	for path, h := range map[string]http.HandlerFunc{
		"/count": func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprintln(w, n, err)
		},
		"/status": func(w http.ResponseWriter, r *http.Request) {
			status, _ := strconv.Atoi(r.URL.RawQuery)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		},
		"/early": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</a>")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
		},
		"/fields": func(w http.ResponseWriter, _ *http.Request) {
			for _, f := range [][2]string{
				{"X-A", "1"}, {"X-A", "2"}, {"X-Empty", ""}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}, {"X-Latin", "\xe9"},
				{"X-Utf", "é"}, {"Server", "origin"}, {"Connection", "x-b"}, {"X-B", "3"}, {"Keep-Alive", "timeout=5"},
				{"Proxy-Authenticate", "Basic"}, {"Upgrade", "h2c"},
			} {
				w.Header().Add(f[0], f[1])
			}
		},
		"/large-field": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", strings.Repeat("a", 60<<10)) },
		"/megabyte": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, long(megabyte))
		},
		"/trailers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "x-t")
			_, _ = io.WriteString(w, "body\n")
			w.Header().Set("X-T", "1")
		},
		"/gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte("zipped"))
			_ = z.Close()
		},
		"/slow":  func(_ http.ResponseWriter, r *http.Request) { pause(r.Context(), 300*time.Millisecond) },
		"/stall": func(_ http.ResponseWriter, r *http.Request) { pause(r.Context(), patience) },
		"/stall-in-body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			pause(r.Context(), patience)
		},
		"/close":       verbatim(""),
		"/half-a-head": verbatim("HTTP/1.1 200 OK\r\nX-A: "),
		"/no-http":     verbatim("hello\r\n\r\n"),
		"/until-close": verbatim("HTTP/1.1 200 OK\r\n\r\nto the end"),
		"/cut":         verbatim("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"),
		"/cut-chunked": verbatim("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
		"/bad-chunk":   verbatim("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n"),
		"/switch":      verbatim("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
	} {
		mux.HandleFunc(path, h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		if _, pattern := mux.Handler(r); pattern == "" || r.Method == http.MethodConnect {
			seen(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// seen tells the request as it came. What frames it is the sender's own business.
func seen(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\nhost %s\n", r.Method, r.RequestURI, r.Proto, r.Host)
	b.WriteString(list("", r.Header))
	fmt.Fprintf(&b, "body %q\n", body)
	if err != nil {
		b.WriteString("the body is not whole\n")
	}
	b.WriteString(list("trailer ", r.Trailer))
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, b.String())
}

func list(prefix string, h http.Header) string {
	var lines []string
	for name, values := range h {
		if lower := strings.ToLower(name); !ignored[lower] {
			lines = append(lines, fmt.Sprintf("%s%s: %q\n", prefix, lower, values))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// verbatim answers with a text as it is, and closes the connection.
func verbatim(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
