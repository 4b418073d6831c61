package sockets

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/outbound"
)

func resolveAll(t *testing.T, g *Guest, name string) ([]netip.Addr, error) {
	t.Helper()
	r, err := g.resolve(name)
	if err != nil {
		return nil, err
	}
	defer r.drop()
	await(t, r)
	var all []netip.Addr
	for {
		addr, ok, err := r.next()
		if !ok {
			return all, err
		}
		all = append(all, addr)
	}
}

func TestResolve(t *testing.T) {
	g := newGuest(t, "")
	t.Run("an address is what it says, allowed or not", func(t *testing.T) {
		for text, want := range map[string]string{
			"0.0.0.0":               "0.0.0.0",
			"192.0.2.0":             "192.0.2.0",
			"::":                    "::",
			"[::1]":                 "::1",
			"DEAD:BEEF::0":          "dead:beef::",
			"2001:0db8:0:0:0:0:0:0": "2001:db8::",
			"::ffff:127.0.0.1":      "127.0.0.1",
			"fe80::1%lo":            "fe80::1",
		} {
			if got, err := resolveAll(t, g, text); err != nil || len(got) != 1 || got[0].String() != want {
				t.Errorf("%s: %v, %v", text, got, err)
			}
		}
	})
	t.Run("localhost is the loopback", func(t *testing.T) {
		got, err := resolveAll(t, g, "localhost")
		if err != nil || len(got) != 2 || got[0] != loopback4 || got[1] != loopback6 {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("what is not a name is refused", func(t *testing.T) {
		for _, name := range []string{"", " ", ".", "a.b<&>", "127.0.0.1:80", "[::]:80", "http://example.com/", "a..b", strings.Repeat("a", 5000)} {
			_, err := g.resolve(name)
			want(t, name, err, invalidArgument)
		}
	})
	t.Run("names that no rule allows are not asked for", func(t *testing.T) {
		for _, name := range []string{"example.com", "münchen.de"} {
			_, err := g.resolve(name)
			want(t, name, err, accessDenied)
		}
	})
	t.Run("no more names at once than a bounded number", func(t *testing.T) {
		g := newGuest(t, "")
		g.lookups = maxLookups
		_, err := g.resolve("localhost")
		want(t, "resolve-addresses", err, temporaryResolverFailure)
	})
	t.Run("a lookup that was dropped ends", func(t *testing.T) {
		r, err := g.resolve("localhost")
		must(t, err)
		r.drop()
		await(t, r)
	})
}

func TestLookupErrors(t *testing.T) {
	for _, c := range []struct {
		what string
		err  error
		want code
	}{
		{"no such name", &net.DNSError{IsNotFound: true}, nameUnresolvable},
		{"no answer", &net.DNSError{IsTimeout: true}, temporaryResolverFailure},
		{"a server that fails", &net.DNSError{IsTemporary: true}, temporaryResolverFailure},
		{"another answer", &net.DNSError{}, permanentResolverFailure},
		{"a refusal", outbound.ErrRefused, accessDenied},
	} {
		want(t, c.what, lookupError(c.err), c.want)
	}
	if lookupError(nil) != nil {
		t.Error("no error is one")
	}
}
