package wasihttp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

func TestPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "/": true, "/a/b?c=d&e": true, "?only=query": true, "*": true, "//two": true, "/%zz": true, "/{curly}|\"'": true,
		"/caf\u00e9": true, "/a?b?c": true, "relative": false, "/a b": false, "/a#b": false, "/a\r\nHost: evil": false, "/\x00": false,
		"/\x7f": false, "http://a/": false, "**": false, "/" + strings.Repeat("x", maxPath): false,
	} {
		if got := isPath(path); got != want {
			t.Errorf("%.80q: %t", path, got)
		}
	}
}

func TestAuthorities(t *testing.T) {
	for _, tc := range []struct {
		authority, host, port string
		ok                    bool
	}{
		{"example.com", "example.com", "", true},
		{"example.com:443", "example.com", "443", true},
		{"127.0.0.1:80", "127.0.0.1", "80", true},
		{"[::1]", "::1", "", true},
		{"[2001:db8::1]:8443", "2001:db8::1", "8443", true},
		{"a_b.svc", "a_b.svc", "", true},
		{"", "", "", false},
		{":80", "", "", false},
		{"example.com:", "", "", false},
		{"example.com:x", "", "", false},
		{"example.com:65536", "", "", false},
		{"example.com:80:80", "", "", false},
		{"user@example.com", "", "", false},
		{"::1", "", "", false},
		{"[::1", "", "", false},
		{"[::1]x", "", "", false},
		{"[]:80", "", "", false},
		{"[example.com]", "", "", false},
		{"a/b", "", "", false},
		{"a b", "", "", false},
		{"a\r\nX: y", "", "", false},
		{strings.Repeat("a", maxAuthority+1), "", "", false},
	} {
		host, port, ok := splitAuthority(tc.authority)
		if ok != tc.ok || ok && (host != tc.host || port != tc.port) {
			t.Errorf("%.80q: %q, %q, %t", tc.authority, host, port, ok)
		}
	}
}

func TestMethods(t *testing.T) {
	for i, m := range methods {
		if v := methodValue(m); v.Case() != i {
			t.Errorf("%s is case %d", m, v.Case())
		}
		if got, ok := methodOf(abi.Enum(i)); got != m || !ok {
			t.Errorf("case %d is %s, %t", i, got, ok)
		}
	}
	for m, want := range map[string]bool{"PURGE": true, "get": true, "": false, "A B": false, "A\r\nB": false, strings.Repeat("A", 129): false} {
		v := abi.Variant(len(methods), abi.String(m))
		if got, ok := methodOf(v); ok != want || ok && got != m {
			t.Errorf("%.40q: %q, %t", m, got, ok)
		}
	}
	if v := methodValue("PURGE"); v.Case() != len(methods) || v.Payload().String() != "PURGE" {
		t.Errorf("PURGE is case %d", v.Case())
	}
}

func TestSchemes(t *testing.T) {
	for s, want := range map[string]bool{"ftp": true, "a+b-c.1": true, "": false, "1a": false, "a:": false, "a b": false} {
		if _, ok := schemeOf(abi.Variant(2, abi.String(s))); ok != want {
			t.Errorf("%q: %t", s, ok)
		}
	}
	for i, s := range []string{"http", "https", "ftp"} {
		if v := schemeValue(s); v.Case() != i {
			t.Errorf("%s is case %d", s, v.Case())
		}
	}
}

// What a guest names goes out as it is.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"", "/", "/a?b", "?q", "//x/%41?", "*", "/%zz", "/a%2fb?c#d", "/é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !isPath(path) {
			return
		}
		u, ok := target(path)
		if !ok {
			return
		}
		u.Scheme, u.Host = "http", "example.com"
		want := path
		if path == "" || path[0] == '?' {
			want = "/" + path
		}
		if got := u.RequestURI(); got != want && !strings.HasPrefix(path, "//") {
			t.Errorf("%q goes out as %q", path, got)
		}
		if strings.ContainsAny(u.RequestURI(), " \r\n\x00") {
			t.Errorf("%q goes out as %q", path, u.RequestURI())
		}
	})
}

func FuzzAuthority(f *testing.F) {
	for _, seed := range []string{"example.com:80", "[::1]:1", "a:", "]", "[", "%41"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, _, ok := splitAuthority(s)
		if !ok {
			return
		}
		if strings.ContainsAny(s, " /\\?#@\r\n\x00") || host == "" {
			t.Errorf("%q is taken for an authority, of the host %q", s, host)
		}
		if u, err := url.Parse("http://" + s + "/"); err == nil && !strings.Contains(s, "%") && u.Hostname() != host {
			t.Errorf("%q has the host %q, and for net/url %q", s, host, u.Hostname())
		}
	})
}

func TestARequestTakesWhatIsValid(t *testing.T) {
	v, err := outgoingRequestNew(nil, []component.Value{abi.Resource(&fields{})})
	if err != nil {
		t.Fatal(err)
	}
	set := func(f component.HostFunc, arg component.Value) bool {
		result, err := f(nil, []component.Value{v, arg})
		if err != nil {
			t.Fatal(err)
		}
		_, ok := result.OK()
		return ok
	}
	r := outgoingRequestOf(v)
	if r.method != http.MethodGet || r.hasPath || r.hasScheme || r.hasAuthority {
		t.Errorf("a new one is %+v", r)
	}
	for _, tc := range []struct {
		name string
		f    component.HostFunc
		arg  component.Value
		want bool
	}{
		{"a method", outgoingRequestSetMethod, abi.Enum(2), true},
		{"no method", outgoingRequestSetMethod, abi.Variant(9, abi.String("A B")), false},
		{"a path", outgoingRequestSetPathWithQuery, abi.Some(abi.String("/a")), true},
		{"no path", outgoingRequestSetPathWithQuery, abi.Some(abi.String("a")), false},
		{"a scheme", outgoingRequestSetScheme, abi.Some(abi.Enum(1)), true},
		{"no scheme", outgoingRequestSetScheme, abi.Some(abi.Variant(2, abi.String(":"))), false},
		{"an authority", outgoingRequestSetAuthority, abi.Some(abi.String("a:1")), true},
		{"no authority", outgoingRequestSetAuthority, abi.Some(abi.String("a:b")), false},
	} {
		if got := set(tc.f, tc.arg); got != tc.want {
			t.Errorf("%s: %t", tc.name, got)
		}
	}
	if r.method != http.MethodPost || r.path != "/a" || r.scheme != schemeHTTPS || r.authority != "a:1" {
		t.Errorf("it became %+v", r)
	}
	for _, f := range []component.HostFunc{outgoingRequestSetPathWithQuery, outgoingRequestSetScheme, outgoingRequestSetAuthority} {
		if !set(f, abi.None()) {
			t.Error("none is refused")
		}
	}
	if r.hasPath || r.hasScheme || r.hasAuthority {
		t.Errorf("none leaves %+v", r)
	}
}
