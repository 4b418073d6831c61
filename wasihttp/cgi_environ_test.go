package wasihttp

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func environment(t *testing.T, base []string, r *http.Request) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, kv := range newEnviron(base).of(r, "the-id") {
		name, value, _ := strings.Cut(kv, "=")
		if _, twice := m[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		m[name] = value
	}
	return m
}

func TestTheMetaVariablesOfARequest(t *testing.T) {
	r := httptest.NewRequest("POST", "/a%20b/c?x=%31&y", strings.NewReader("12345"))
	r.Host = "example.test:8080"
	r.RemoteAddr = "10.1.2.3:4567"
	r.Header.Set("Content-Type", "text/x")
	r.Header.Set("X-Request-Id", "not the one")
	r.Header.Set("X-One", "1")
	r.Header["X-Two"] = []string{"a", "b"}
	r.Header["Cookie"] = []string{"a=1", "b=2"}
	got := environment(t, []string{"A=b", "PATH=/bin", "REMOTE_USER=root", "CONTENT_LENGTH=99", "HTTP_X_ONE=spoofed", "HTTP_PROXY=http://proxy", "=x", "y"}, r)
	want := map[string]string{
		"A": "b", "PATH": "/bin", "HTTP_PROXY": "http://proxy",
		"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "mayfly", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "example.test",
		"SERVER_PORT": "80", "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/a b/c", "QUERY_STRING": "x=%31&y",
		"REQUEST_URI": "/a%20b/c?x=%31&y", "REMOTE_ADDR": "10.1.2.3", "REMOTE_HOST": "10.1.2.3", "REMOTE_PORT": "4567",
		"CONTENT_TYPE": "text/x", "CONTENT_LENGTH": "5", "HTTP_X_REQUEST_ID": "the-id", "HTTP_HOST": "example.test:8080",
		"HTTP_X_ONE": "1", "HTTP_X_TWO": "a, b", "HTTP_COOKIE": "a=1; b=2",
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if v, ok := want[name]; !ok || v != got[name] {
			t.Errorf("%s=%q, want %q", name, got[name], v)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestHeaderFieldsThatMakeNoVariable(t *testing.T) {
	for _, field := range []string{
		"Proxy", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Upgrade", "Te",
		"X_Forwarded_For", "X_forwarded-For", "X.Y", "X~Y", "X'Y", "X|Y", "Ü",
	} {
		if name, ok := appendVariable(nil, field); ok {
			t.Errorf("%s makes %s", field, name)
		}
	}
	if name, _ := appendVariable(nil, "X-Forwarded-For"); string(name) != "HTTP_X_FORWARDED_FOR" {
		t.Errorf("got %s", name)
	}
}

func TestTheLengthOfABodyIsToldOnlyWhenItIsKnown(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		want   string
	}{
		{"known", func(r *http.Request) { r.ContentLength = 7 }, "7"},
		{"in chunks", func(r *http.Request) { r.ContentLength = -1 }, "none"},
		{"no body", func(r *http.Request) { r.ContentLength = 0 }, "none"},
		{"an empty body", func(r *http.Request) { r.ContentLength = 0; r.Header.Set("Content-Length", "0") }, "0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			tc.change(r)
			got, ok := environment(t, nil, r)["CONTENT_LENGTH"]
			if !ok {
				got = "none"
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestTheServersName(t *testing.T) {
	for _, tc := range []struct{ host, name string }{
		{"example.test", "example.test"}, {"example.test:81", "example.test"}, {"[::1]:81", "[::1]"}, {"", "10.0.0.1"},
		{"a b", "10.0.0.1"}, {"x\"y", "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = tc.host
		local := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8080}
		r = r.WithContext(contextWith(r, http.LocalAddrContextKey, local))
		if name, port := serverAddress(r); name != tc.name || port != "8080" {
			t.Errorf("%q: got %s %s, want %s", tc.host, name, port, tc.name)
		}
	}
}

func TestAPeerOnAUnixSocketIsThisMachine(t *testing.T) {
	for in, want := range map[string][2]string{
		"@": {"127.0.0.1", ""}, "": {"127.0.0.1", ""}, "[fe80::1%eth0]:7": {"fe80::1", "7"}, "1.2.3.4:5": {"1.2.3.4", "5"},
	} {
		if host, port := splitAddress(in); host != want[0] || port != want[1] {
			t.Errorf("%q: got %s %s", in, host, port)
		}
	}
}

func TestUnusualRequestTargetsReachTheGuest(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want []string
	}{
		"of a whole URI, its path is the request's": {
			"GET http://other.test/p%41?q",
			[]string{"REQUEST_URI=/p%41?q\n", "PATH_INFO=/pA\n", "SERVER_NAME=other.test\n", "QUERY_STRING=q\n"},
		},
		"a request about the server itself is the guest's to answer": {
			"OPTIONS *",
			[]string{"REQUEST_METHOD=OPTIONS\n", "REQUEST_URI=*\n", "PATH_INFO=\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "env")
			_, r := s.raw(t, c.line+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body := make([]byte, 4096)
			n, _ := res.Body.Read(body)
			for _, want := range c.want {
				if !strings.Contains(string(body[:n]), want) {
					t.Errorf("%q is missing in:\n%s", want, body[:n])
				}
			}
		})
	}
}

func TestSpoofedFieldsDoNotReachTheGuest(t *testing.T) {
	s := serve(t, "echo", func(o *Options) { o.Env = []string{"HTTP_FROM_POD=yes"} })
	_, r := s.raw(t, "GET / HTTP/1.1\r\nHost: x\r\nProxy: http://evil\r\nX_Real_IP: 1.1.1.1\r\nX-Real-IP: 2.2.2.2\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := make([]byte, 4096)
	n, _ := res.Body.Read(body)
	got := string(body[:n])
	if strings.Contains(got, "evil") || strings.Contains(got, "1.1.1.1") || !strings.Contains(got, "HTTP_X_REAL_IP=2.2.2.2") || !strings.Contains(got, "HTTP_FROM_POD=yes") {
		t.Errorf("the guest sees:\n%s", got)
	}
}

func TestAPathWithAZeroByteIsRefused(t *testing.T) {
	s := serve(t, "hello")
	if res, _ := s.get(t, "/a%00b"); res.StatusCode != 400 {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestARequestIDIsTakenWhenItIsHarmless(t *testing.T) {
	for id, taken := range map[string]bool{
		"abc-123": true, "00-4bf92f3577b34da6a3ce929d0e0e4736-01": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a\x1b[31m": false, "a\"b": false, "ü": false,
	} {
		got := requestID(http.Header{"X-Request-Id": {id}})
		if (got == id) != taken || got == "" {
			t.Errorf("%q became %q", id, got)
		}
	}
}

func contextWith(r *http.Request, key, value any) context.Context {
	return context.WithValue(r.Context(), key, value)
}
