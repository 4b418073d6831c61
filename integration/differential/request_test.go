package main

import "testing"

func TestARequestIsWrittenAsItStandsInTheTable(t *testing.T) {
	for _, c := range []struct {
		name       string
		r          request
		head, rest string
	}{
		{"version and host are added", request{head: "GET /"}, "GET / HTTP/1.1\r\nHost: mayfly.test\r\n\r\n", ""},
		{"but not where they are", request{head: "GET / HTTP/1.0\nhost: a"}, "GET / HTTP/1.0\r\nhost: a\r\n\r\n", ""},
		{"a body with its length", request{head: "POST /", body: sized("hi")}, "POST / HTTP/1.1\r\nHost: mayfly.test\r\nContent-Length: 2\r\n\r\nhi", ""},
		{
			"a body in chunks, with trailers", request{head: "POST /", body: trailed("A: 1\nB: 2", "hi", "ho")},
			"POST / HTTP/1.1\r\nHost: mayfly.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n2\r\nho\r\n0\r\nA: 1\r\nB: 2\r\n\r\n", "",
		},
		{
			"a body that waits to be asked for", request{head: "POST /\nExpect: 100-continue", body: sized("hi")},
			"POST / HTTP/1.1\r\nHost: mayfly.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "hi",
		},
		{"what no client should send", request{raw: "GET\x00/\n"}, "GET\x00/\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if head, rest := c.r.wire(); head != c.head || rest != c.rest {
				t.Errorf("%q and %q, want %q and %q", head, rest, c.head, c.rest)
			}
		})
	}
}
