package outbound

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func mustParse(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHost(t *testing.T) {
	for _, c := range []struct {
		what, list  string
		scheme      string
		host        string
		port        int
		wantAllowed bool
	}{
		{"without a list, the loopback by name", "", "http", "localhost", 8080, true},
		{"without a list, the loopback by address", "", "tcp", "127.9.9.9", 1, true},
		{"without a list, the loopback of IPv6", " \n", "udp", "::1", 65535, true},
		{"without a list, the loopback of IPv6 in brackets", "", "http", "[::1]", 80, true},
		{"without a list, a mapped loopback", "", "http", "::ffff:127.0.0.1", 80, true},
		{"without a list, names below localhost", "", "http", "App.LocalHost.", 80, true},
		{"without a list, nothing else", "", "http", "example.com", 80, false},
		{"without a list, no unspecified address", "", "http", "0.0.0.0", 80, false},
		{"without a list, no link-local address", "", "http", "169.254.169.254", 80, false},
		{"none is nothing", "none", "http", "localhost", 80, false},
		{"a name on the scheme's port", "https://example.com", "https", "example.com", 443, true},
		{"a name with a final slash", "https://example.com/", "https", "example.com", 443, true},
		{"names have no case", "HTTPS://Example.COM", "https", "EXAMPLE.com.", 443, true},
		{"another port", "https://example.com", "https", "example.com", 8443, false},
		{"another scheme", "https://example.com", "http", "example.com", 443, false},
		{"another name", "https://example.com", "https", "example.org", 443, false},
		{"a name that ends so", "https://example.com", "https", "notexample.com", 443, false},
		{"a list replaces the default", "https://example.com", "http", "localhost", 80, false},
		{"a name below", "https://*.example.com", "https", "a.b.example.com", 443, true},
		{"the name itself is not below", "https://*.example.com", "https", "example.com", 443, false},
		{"a name that ends like those below", "https://*.example.com", "https", "notexample.com", 443, false},
		{"any scheme", "*://example.com:7", "mqtt", "example.com", 7, true},
		{"any port", "http://example.com:*", "http", "example.com", 12345, true},
		{"the first of a range", "http://example.com:8000..8010", "http", "example.com", 8000, true},
		{"the last of a range", "http://example.com:8000..8010", "http", "example.com", 8009, true},
		{"a range does not include its end", "http://example.com:8000..8010", "http", "example.com", 8010, false},
		{"the second of several", "http://a.example,http://b.example  http://c.example", "http", "b.example", 80, true},
		{"an address", "tcp://10.1.2.3:5432", "tcp", "10.1.2.3", 5432, true},
		{"an address of IPv6", "tcp://[fd00::1]:5432", "tcp", "fd00::1", 5432, true},
		{"another address", "tcp://10.1.2.3:5432", "tcp", "10.1.2.4", 5432, false},
		{"a network", "tcp://10.1.2.3/8:5432", "tcp", "10.200.0.1", 5432, true},
		{"outside of a network", "tcp://10.0.0.0/8:5432", "tcp", "11.0.0.1", 5432, false},
		{"a network of IPv6", "*://fd00::/8:*", "tcp", "fd12::1", 5432, true},
		{"a network does not match names", "*://0.0.0.0/0:*", "http", "example.com", 80, false},
		{"a network with the loopback matches localhost", "*://127.0.0.0/8:*", "http", "localhost", 80, true},
		{"another network does not", "*://10.0.0.0/8:*", "http", "localhost", 80, false},
		{"localhost by name", "http://localhost:3000", "http", "localhost", 3000, true},
		{"names below localhost", "http://*.localhost:3000", "http", "app.localhost", 3000, true},
		{"self, on any port", "http://self", "http", "127.0.0.1", 8080, true},
		{"self, on one port", "http://self:80", "http", "127.0.0.1", 8080, false},
		{"self is nothing else", "*://self", "http", "10.0.0.1", 80, false},
		{"everything", "*://*:*", "tcp", "169.254.169.254", 80, true},
		{"every name", "https://*", "https", "example.com", 443, true},
		{"every name, of another scheme", "https://*", "http", "example.com", 80, false},
		{"no such port", "*://*:*", "http", "example.com", 65536, false},
		{"no such port either", "*://*:*", "http", "example.com", -1, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			err := mustParse(t, c.list).Host(c.scheme, c.host, c.port)
			if (err == nil) != c.wantAllowed || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestResolved(t *testing.T) {
	for _, c := range []struct {
		what, list  string
		host, addr  string
		wantAllowed bool
	}{
		{"a name at a public address", "http://example.com", "example.com", "93.184.216.34", true},
		{"a name at a private address", "http://db.default.svc", "db.default.svc", "10.96.0.10", true},
		{"a name at a unique local address", "http://db.default.svc", "db.default.svc", "fd00::10", true},
		{"a name at the clouds' metadata", "http://example.com", "example.com", "169.254.169.254", false},
		{"a name at a mapped address of it", "http://example.com", "example.com", "::ffff:169.254.169.254", false},
		{"a name at a translated address of it", "http://example.com", "example.com", "64:ff9b::a9fe:a9fe", false},
		{"a name at metadata of IPv6", "http://example.com", "example.com", "fd00:ec2::254", false},
		{"a name at a translated public address", "http://example.com", "example.com", "64:ff9b::808:808", true},
		{"a name at the loopback", "http://example.com", "example.com", "127.0.0.1", false},
		{"a name at the loopback of IPv6", "http://*.example.com", "a.example.com", "::1", false},
		{"a name at no address", "http://example.com", "example.com", "0.0.0.0", false},
		{"a name at no address of IPv6", "http://example.com", "example.com", "::", false},
		{"a name at a link-local address", "http://example.com", "example.com", "fe80::1%eth0", false},
		{"a name at a group", "http://example.com", "example.com", "224.0.0.1", false},
		{"a name at everybody", "http://example.com", "example.com", "255.255.255.255", false},
		{"localhost at the loopback", "", "localhost", "127.0.0.1", true},
		{"localhost, by name, at the loopback", "http://localhost", "localhost", "::1", true},
		{"localhost elsewhere", "http://localhost http://10.0.0.0/8", "localhost", "10.0.0.1", false},
		{"localhost at a part of the loopback", "http://127.0.0.1", "localhost", "127.0.0.1", true},
		{"localhost at another part of it", "http://127.0.0.1", "localhost", "::1", false},
		{"anything", "*://*:*", "example.com", "169.254.169.254", true},
		{"a name at the loopback, which another rule allows by name", "http://example.com *://self", "example.com", "127.0.0.1", false},
		{"another name", "http://example.com", "example.org", "93.184.216.34", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			err := mustParse(t, c.list).Resolved("http", c.host, netip.AddrPortFrom(netip.MustParseAddr(c.addr), 80))
			if (err == nil) != c.wantAllowed || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestName(t *testing.T) {
	p := mustParse(t, "tcp://db.example:5432, udp://*.example:53")
	for name, want := range map[string]bool{"db.example": true, "DB.example.": true, "ns.example": true, "example": false, "x": false} {
		if err := p.Name(name, "tcp", "udp"); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p.Name("ns.example", "tcp") == nil {
		t.Error("a name of another scheme is allowed")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ entry, want string }{
		{"example.com", "has no scheme"},
		{"*", "has no scheme"},
		{"://example.com", "the scheme is not a word"},
		{"{http,https}://example.com", "has no scheme"},
		{"ht*tp://example.com", "the scheme is not a word"},
		{"http://", "has no host"},
		{"http://:80", "has no host"},
		{"http://example.com/a", "has a path"},
		{"http://example.com:80/a", "the port \"80/a\" is not a number"},
		{"http://10.0.0.0/33", "has a path, or is not a network"},
		{"http://a.*.example", "* stands for"},
		{"http://*example.com", "is not a name"},
		{"http://.example.com", "is not a name"},
		{"http://exam_ple..com", "is not a name"},
		{"http://käse.example", "is not a name"},
		{"http://user@example.com", "is not a name"},
		{"http://" + strings.Repeat("a", 64) + ".example", "is not a name"},
		{"http://[fe80::1%eth0]", "zone"},
		{"http://::ffff:10.0.0.0/104:80", "as an IPv4 one"},
		{"tcp://example.com", "has no port"},
		{"*://example.com", "has no port"},
		{"http://example.com:http", "is not a number"},
		{"http://example.com:65536", "is not a number"},
		{"http://example.com:8010..8000", "not a range"},
		{"http://example.com:80..80", "not a range"},
		{"http://example.com:80..", "not a range"},
	} {
		t.Run(c.entry, func(t *testing.T) {
			_, err := Parse("*://self " + c.entry)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "for example") {
				t.Errorf("got %v, want one that says %q", err, c.want)
			}
		})
	}
	t.Run("too many", func(t *testing.T) {
		if _, err := Parse(strings.Repeat("*://a:1 ", maxRules+1)); err == nil {
			t.Error("no error")
		}
		if _, err := Parse(strings.Repeat(" ", maxText+1)); err == nil {
			t.Error("no error")
		}
	})
}

func TestRefusalsAreLoggedOnce(t *testing.T) {
	var lines bytes.Buffer
	p := mustParse(t, "")
	p.LogTo(slog.New(slog.NewTextHandler(&lines, nil)))
	for range 3 {
		_ = p.Host("https", "example.com", 443)
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "add https://example.com:443 to MAYFLY_ALLOWED_OUTBOUND") {
		t.Errorf("got %s", got)
	}
	for i := range 10 * maxLogged {
		_ = p.Host("https", fmt.Sprintf("%d.example.com", i), 443)
	}
	if n := bytes.Count(lines.Bytes(), []byte("\n")); n != maxLogged+1 {
		t.Errorf("%d lines", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "none", "*://*:*", "https://example.com", "tcp://[::1]:1..5", "*://fd00::/8:*", "http://self", "http://*.a:1,x://b:2"} {
		f.Add(s, "example.com")
	}
	f.Fuzz(func(t *testing.T, list, host string) {
		p, err := Parse(list)
		if err != nil {
			return
		}
		if p.Host("http", host, 80) == nil {
			if _, ok := parseAddr(host); ok {
				return
			}
			// What reaches the metadata by a name is an "any" rule.
			to := netip.MustParseAddrPort("169.254.169.254:80")
			if p.Resolved("http", host, to) == nil && !strings.Contains(list, "://*") {
				t.Errorf("%q lets %q resolve to %s", list, host, to)
			}
		}
	})
}
