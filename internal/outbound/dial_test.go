package outbound

import (
	"errors"
	"net"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestDialContext(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, list, host string
		want             error
	}{
		{"the loopback by address", "", "127.0.0.1", nil},
		{"the loopback by name", "", "localhost", nil},
		{"an address that no rule allows", "http://10.0.0.0/8:*", "127.0.0.1", ErrRefused},
		{"an address that another scheme's rule allows", "https://127.0.0.1:*", "127.0.0.1", ErrRefused},
		{"an address that is the loopback in disguise", "http://example.com:*", "::ffff:127.0.0.1", ErrRefused},
		{"a name that is not allowed", "", "example.com", ErrRefused},
	} {
		t.Run(c.what, func(t *testing.T) {
			conn, err := mustParse(t, c.list).Dialer("http").DialContext(t.Context(), "tcp", net.JoinHostPort(c.host, port))
			if err == nil {
				conn.Close()
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("the port must be one", func(t *testing.T) {
		for _, address := range []string{"127.0.0.1", "127.0.0.1:http", "127.0.0.1:65536"} {
			if _, err := mustParse(t, "").Dialer("http").DialContext(t.Context(), "tcp", address); err == nil {
				t.Errorf("%s: no error", address)
			}
		}
	})
}
