package load

import (
	"bufio"
	"strings"
	"testing"
)

func TestAnAnswerIsRead(t *testing.T) {
	for _, c := range []struct {
		name, wire string
		status     int
		body       string
		closes     bool
		fails      bool
	}{
		{name: "of a length", wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello"},
		{name: "fields are written in any way", wire: "HTTP/1.1 200 OK\r\ncontent-LENGTH:5\r\nCONNECTION:  Close \r\n\r\nhello", status: 200, body: "hello", closes: true},
		{name: "in chunks", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: x\r\n\r\n", status: 200, body: "hello"},
		{name: "without a reason", wire: "HTTP/1.1 204 \r\nContent-Length: 0\r\n\r\n", status: 204},
		{name: "an error", wire: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", status: 503, body: "busy"},
		{name: "without a length", wire: "HTTP/1.1 200 OK\r\n\r\nhello", fails: true},
		{name: "cut off in its head", wire: "HTTP/1.1 200 OK\r\nContent-", fails: true},
		{name: "cut off in its body", wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", fails: true},
		{name: "cut off in a chunk", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", fails: true},
		{name: "a chunk that does not end where it should", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", fails: true},
		{name: "a chunk of no size", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", fails: true},
		{name: "a length below zero", wire: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", fails: true},
		{name: "too long", wire: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", fails: true},
		{name: "too long in chunks", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n", fails: true},
		{name: "not HTTP", wire: "SSH-2.0-x\r\n", fails: true},
		{name: "a field without a colon", wire: "HTTP/1.1 200 OK\r\nnothing\r\n\r\n", fails: true},
		{name: "nothing", fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAnswer(bufio.NewReader(strings.NewReader(c.wire)), nil)
			if c.fails {
				if err == nil {
					t.Errorf("no error: %+v", got)
				}
				return
			}
			if err != nil || got.status != c.status || string(got.body) != c.body || got.closes != c.closes {
				t.Errorf("got %d %q, closes %v, error %v", got.status, got.body, got.closes, err)
			}
		})
	}
}

func TestTwoAnswersOnOneConnectionAreReadIntoOneBody(t *testing.T) {
	const one = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
	r := bufio.NewReader(strings.NewReader(one + "hello" + one + "again"))
	first, err := readAnswer(r, nil)
	if err != nil || string(first.body) != "hello" {
		t.Fatalf("%q, %v", first.body, err)
	}
	second, err := readAnswer(r, first.body)
	if err != nil || string(second.body) != "again" || &second.body[0] != &first.body[0] {
		t.Errorf("%q, %v", second.body, err)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(string(wire))), nil)
		if err == nil && (a.status < 200 || len(a.body) > maxBody) {
			t.Errorf("%+v", a)
		}
	})
}
