package wasihttp

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/mayfly-run/mayfly/internal/outbound"
)

// What a guest may ask for is written in many ways. None of them reaches what is not allowed.
func TestNoWayOfWritingAnAddressGoesAroundThePolicy(t *testing.T) {
	forbidden := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer forbidden.Close()
	u, err := url.Parse(forbidden.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(u.Host)
	for _, list := range []string{"none", "http://example.com:*", "http://*.example.com:*", "http://10.0.0.0/8:*", "*://self:1", "tcp://self:*"} {
		policy, err := outbound.Parse(list)
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(policy)
		defer c.close()
		g := &guest{client: c}
		for _, host := range []string{
			"127.0.0.1", "127.1", "127.0.0.1.", "0x7f.1", "0x7f000001", "017700000001", "2130706433", "0", "0.0.0.0", "localhost", "LOCALHOST.",
			"a.localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "example.com%00.localhost",
			"127.0.0.1%2f", "%31%32%37.0.0.1", "example.com@127.0.0.1", "127.0.0.1#.example.com", "127.0.0.1\\.example.com", "127。0。0。1",
			"①②⑦.0.0.1", "127.0.0.1\r\nHost: example.com", "127.0.0.1/.example.com", "127.0.0.1?.example.com", "[::1%25lo]", "[::1%lo]", "",
		} {
			for _, path := range []string{"/", "//" + host + ":" + port + "/", "http://" + host + ":" + port + "/", "*", "@" + host, "\r\n", "/\x00"} {
				authority := host + ":" + port
				if _, _, ok := splitAuthority(authority); !ok || !isPath(path) {
					continue // which a guest cannot set
				}
				r := &outgoingRequest{message: message{fields: &fields{}}, method: "GET", scheme: "http", hasScheme: true, authority: authority,
					hasAuthority: true, path: path, hasPath: true}
				f, err := g.fetch(t.Context(), r, noTimeouts)
				if err != nil {
					continue
				}
				<-f.ended
				if f.err == nil {
					t.Errorf("%s with %s: status %d", authority, list, f.raw.StatusCode)
				}
				f.close()
			}
		}
	}
}
