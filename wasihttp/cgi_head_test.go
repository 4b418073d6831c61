package wasihttp

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestHeads(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		code     int // 0: refused
		field    string
		rest     string
	}{
		{"lines that end in CR LF", "Content-Type: a/b\r\nX: y\r\n\r\nrest", 200, "X: y", "rest"},
		{"lines that end in LF", "Content-Type: a/b\nX: y\n\nrest\n", 200, "X: y", "rest\n"},
		{"both", "Content-Type: a/b\r\nX: y\n\r\nrest", 200, "X: y", "rest"},
		{"a status", "Status: 404 Not Found\n\n", 404, "", ""},
		{"a status alone in its line", "Status: 404\n\n", 404, "", ""},
		{"a redirect", "Location: http://x/\n\n", 302, "", ""},
		{"a redirect with a status", "Location: http://x/\nStatus: 301\n\n", 301, "", ""},
		{"names in any case", "content-TYPE: a/b\nsTaTuS: 201\n\n", 201, "Content-Type: a/b", ""},
		{"no blank behind the colon", "Content-Type:a/b\n\n", 200, "Content-Type: a/b", ""},
		{"blanks and tabs around a value", "Content-Type: \t a/b \t\n\n", 200, "Content-Type: a/b", ""},
		{"an empty value", "Content-Type: a/b\nX:\n\n", 200, "X: ", ""},
		{"bytes beyond ASCII", "Content-Type: a/b\nX: \xe4\xff\n\n", 200, "X: \xe4\xff", ""},
		{"fields about the connection", "Content-Type: a/b\nConnection: close\nTransfer-Encoding: chunked\n\n", 200, "", ""},
		{"a length", "Content-Type: a/b\nContent-Length: 5\nContent-Length: 5\n\n", 200, "", ""},

		{"nothing but the end", "\n", 0, "", ""},
		{"fields that say nothing", "X: y\n\n", 0, "", ""},
		{"no colon", "HTTP/1.1 200 OK\n\n", 0, "", ""},
		{"no name", ": x\n\n", 0, "", ""},
		{"a blank before the colon", "Content-Type : a/b\n\n", 0, "", ""},
		{"a line that continues another", "Content-Type: a/b\n c\n\n", 0, "", ""},
		{"a name that is none", "X(Y: z\n\n", 0, "", ""},
		{"a CR in a value", "Content-Type: a/b\nX: a\rSet-Cookie: b\n\n", 0, "", ""},
		{"a zero byte in a value", "Content-Type: a/b\nX: a\x00b\n\n", 0, "", ""},
		{"a status too small", "Status: 199\n\n", 0, "", ""},
		{"a status too large", "Status: 600\n\n", 0, "", ""},
		{"a status too long", "Status: 0200\n\n", 0, "", ""},
		{"a status that is no number", "Status: OK\n\n", 0, "", ""},
		{"a signed status", "Status: +20\n\n", 0, "", ""},
		{"two statuses", "Status: 200\nStatus: 200\n\n", 0, "", ""},
		{"two types", "Content-Type: a/b\nContent-Type: a/b\n\n", 0, "", ""},
		{"two locations", "Location: /a\nLocation: /b\n\n", 0, "", ""},
		{"two lengths", "Content-Type: a/b\nContent-Length: 1\nContent-Length: 2\n\n", 0, "", ""},
		{"a negative length", "Content-Type: a/b\nContent-Length: -1\n\n", 0, "", ""},
		{"a length beyond all numbers", "Content-Type: a/b\nContent-Length: 99999999999999999999\n\n", 0, "", ""},
		{"too large", "Content-Type: a/b\nX: " + strings.Repeat("x", maxHead), 0, "", ""},
		{"too many fields", "Content-Type: a/b\n" + strings.Repeat("X: y\n", maxFields) + "\n", 0, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, size := range []int{len(tc.in), 1, 7} { // it comes in pieces of any size
				h, rest, complete, err := feed(tc.in, size)
				if tc.code == 0 {
					if !errors.Is(err, errNotHTTP) {
						t.Fatalf("in pieces of %d: got %+v, %v", size, h, err)
					}
					continue
				}
				if err != nil || !complete || h.code() != tc.code || rest != tc.rest {
					t.Fatalf("in pieces of %d: got %d, rest %q, complete %t, %v", size, h.code(), rest, complete, err)
				}
				header := http.Header{}
				h.copyTo(header)
				if name, value, ok := strings.Cut(tc.field, ": "); ok && header.Get(name) != value {
					t.Errorf("%s is %q", name, header.Get(name))
				}
				for _, name := range []string{"Connection", "Transfer-Encoding", "Status"} {
					if _, ok := header[name]; ok {
						t.Errorf("%s reached the header", name)
					}
				}
			}
		})
	}
}

// feed feeds in in pieces.
func feed(in string, size int) (h head, rest string, complete bool, err error) {
	for len(in) > 0 {
		piece := in[:min(size, len(in))]
		n, done, err := h.feed([]byte(piece))
		if err != nil || done {
			return h, in[min(n, len(in)):], done, err
		}
		if n != len(piece) {
			return h, in, false, errors.New("not all was taken")
		}
		in = in[len(piece):]
	}
	return h, "", false, nil
}

func TestLocalRedirects(t *testing.T) {
	for in, want := range map[string]bool{
		"Location: /a?b\n\n":                    true,
		"Location: //host/a\n\n":                false,
		"Location: http://host/a\n\n":           false,
		"Location: /a\nStatus: 302\n\n":         false,
		"Location: /a\nContent-Type: a/b\n\n":   false,
		"Location: /a\nSet-Cookie: a=b\n\n":     false,
		"Content-Type: a/b\n\n":                 false,
		"Location: /a\nContent-Length: 5\n\n":   false,
		"Location: /a\nConnection: close\n\n":   true,
		"Location: /a\r\nKeep-Alive: 5\r\n\r\n": true,
	} {
		h, _, _, err := feed(in, len(in))
		if _, local := h.local(); err != nil || local != want {
			t.Errorf("%q: got %t, %v", in, local, err)
		}
	}
}

func FuzzHead(f *testing.F) {
	for _, seed := range []string{
		"Content-Type: a/b\r\n\r\nbody", "Status: 404 Not Found\n\n", "Location: /a\n\n", "Content-Length: 5\nContent-Type: x\n\nhello", "\n", ":", "a\rb: c\n\n",
	} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, in string, size int) {
		whole, rest, complete, err := feed(in, len(in))
		parts, rest2, complete2, err2 := feed(in, max(1, size%64))
		if (err == nil) != (err2 == nil) || err == nil && (complete != complete2 || complete && rest != rest2) {
			t.Fatalf("in one piece: %q %t %v, in several: %q %t %v", rest, complete, err, rest2, complete2, err2)
		}
		if err != nil || !complete {
			return
		}
		if whole.code() != parts.code() || whole.code() < 200 || whole.code() > 599 || len(whole.fields) > maxFields {
			t.Fatalf("code %d and %d, %d fields", whole.code(), parts.code(), len(whole.fields))
		}
		for _, f := range whole.fields {
			if !isToken([]byte(f.name)) || strings.ContainsAny(f.value, "\r\n\x00") {
				t.Fatalf("field %q: %q", f.name, f.value)
			}
		}
	})
}
