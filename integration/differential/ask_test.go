package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// replier listens, reads one head, and writes a text.
func replier(t *testing.T, text string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, text)
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestAnAnswerIsReadWithAllThatIsCompared(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       answer
	}{
		{
			"fields by name, values in order", "HTTP/1.1 200 OK\r\nB: 1\r\nA: 2\r\nb: 0\r\nContent-Length: 2\r\n\r\nhi",
			answer{status: 200, fields: []field{{"a", "2"}, {"b", "1"}, {"b", "0"}, {"content-length", "2"}}, body: "hi"},
		},
		{
			"informational answers before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
			answer{interim: []int{100, 103}, status: 204},
		},
		{
			"trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: 1\r\n\r\n",
			answer{status: 200, body: "hi", trailers: []field{{"t", "1"}}},
		},
		{
			"one that breaks off", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
			answer{status: 200, body: "hi", cut: true},
		},
		{"none", "", answer{lost: errClosed}},
		{"half of a head", "HTTP/1.1 200 OK\r\nA:", answer{lost: errClosed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t.Context(), replier(t, c.text), &request{head: "GET /"})
			if len(got) != 1 {
				t.Fatalf("%d answers", len(got))
			}
			if why, want := got[0].lost, c.want.lost; why != nil && want != nil && why.Error() == want.Error() {
				return
			}
			if !reflect.DeepEqual(got[0], c.want) {
				t.Errorf("got %+v, want %+v", got[0], c.want)
			}
		})
	}
}

func TestWhatIsNoHTTPIsNoAnswer(t *testing.T) {
	got := ask(t.Context(), replier(t, "hello\r\n\r\n"), &request{head: "GET /"})
	if got[0].lost == nil || !strings.HasPrefix(got[0].lost.Error(), "no HTTP") {
		t.Errorf("got %+v", got[0])
	}
}

func TestAServerThatIsNotThereIsTold(t *testing.T) {
	if got := ask(t.Context(), nobody, &request{head: "GET /"}); !errors.Is(got[0].lost, errDown) {
		t.Errorf("got %+v", got[0])
	}
}

// What the guests ask is asked here without them: the origin answers each path as the table has it.
func TestTheServerThatGuestsAskAnswersTheSameTwice(t *testing.T) {
	o, err := startOrigin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, path := range []string{"/seen", "/status?404", "/early", "/fields", "/megabyte", "/trailers", "/gzip", "/close", "/cut", "/no-http", "/elsewhere"} {
		r := &request{head: "GET " + path}
		a, b := ask(t.Context(), o.addr, r), ask(t.Context(), o.addr, r)
		if d := compare(r, a, b, asItIs); len(d) > 0 {
			t.Errorf("%s: %v", path, d)
		}
	}
}
