package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"
)

const (
	listenExample = "localhost:8080, :8080, [::1]:8080 or unix:/run/app.sock"
	portExample   = "8080"
	// maxUnixPath is what a socket address holds on Linux (108 bytes with the final zero).
	maxUnixPath = 107
)

// Address is where a sidecar listens, inside its pod.
type Address struct {
	// Network is "tcp4", "tcp6" or "unix".
	Network string
	// Host is an IP address; "0.0.0.0" or "::" for all.
	Host string
	Port int
	// Path is the socket's path as the container sees it.
	Path string
	// Optional addresses are left out where the pod has no such address family.
	Optional bool
}

func (a Address) String() string {
	if a.Network == "unix" {
		return "unix:" + a.Path
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

// parseListen reads MAYFLY_LISTEN, whose port defaults to PORT, which defaults to 80.
func parseListen(listen, port string) ([]Address, error) {
	def := DefaultPort
	if port != "" {
		n, err := parsePort(port)
		if err != nil {
			return nil, &settingError{ErrVariable, "PORT", port, portExample, err}
		}
		def = n
	}
	if listen == "" {
		return localhost(def), nil
	}
	addrs, err := parseAddress(listen)
	if err != nil {
		return nil, &settingError{ErrVariable, "MAYFLY_LISTEN", listen, listenExample, err}
	}
	return addrs, nil
}

func parseAddress(s string) ([]Address, error) {
	if p, ok := strings.CutPrefix(s, "unix:"); ok {
		return parseUnix(p)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return nil, errors.New("want host:port, :port or unix:/path")
	}
	n, err := parsePort(port)
	if err != nil {
		return nil, err
	}
	switch host {
	case "localhost":
		return localhost(n), nil
	case "":
		// One IPv6 socket would serve both families, but not in pods without IPv6.
		return []Address{
			{Network: "tcp4", Host: "0.0.0.0", Port: n},
			{Network: "tcp6", Host: "::", Port: n, Optional: true},
		}, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return nil, fmt.Errorf("host %q is not an IP address of the pod; names other than localhost are not looked up", host)
	}
	if ip = ip.Unmap(); ip.Is4() {
		return []Address{{Network: "tcp4", Host: ip.String(), Port: n}}, nil
	}
	return []Address{{Network: "tcp6", Host: ip.String(), Port: n}}, nil
}

func localhost(port int) []Address {
	return []Address{
		{Network: "tcp4", Host: "127.0.0.1", Port: port},
		{Network: "tcp6", Host: "::1", Port: port, Optional: true},
	}
}

func parseUnix(p string) ([]Address, error) {
	if !path.IsAbs(p) || path.Clean(p) != p || p == "/" {
		return nil, errors.New("want unix: with an absolute, clean path")
	}
	if len(p) > maxUnixPath || strings.ContainsRune(p, 0) {
		return nil, fmt.Errorf("a socket's path has at most %d bytes", maxUnixPath)
	}
	return []Address{{Network: "unix", Path: p}}, nil
}

func parsePort(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, errors.New("want a port from 1 to 65535")
	}
	return n, nil
}
