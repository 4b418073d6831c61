package wasihttp

import "strings"

// field is a header or trailer field.
type field struct{ name, value string }

// digits reads a number of at most 18 digits.
func digits(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// isToken reports whether b may be a field's name (RFC 9110, 5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !(c >= '0' && c <= '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return len(b) > 0
}

// isText reports whether b may be a field's value.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// maxURI bounds a path with its query, and an authority, in bytes.
const (
	maxPath      = 64 << 10
	maxAuthority = 1 << 10
)

// isPath reports whether s may be a path with a query (RFC 3986, 3.3 and 3.4), written as clients write them, who escape less than they
// should.
func isPath(s string) bool {
	if s == "" || s == "*" {
		return true
	}
	if len(s) > maxPath || s[0] != '/' && s[0] != '?' {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c == 0x7f || strings.IndexByte("#<>`", c) >= 0 {
			return false
		}
	}
	return true
}

// splitAuthority takes a host, and a port where there is one, apart. It reports whether that could be an authority (RFC 3986, 3.2). One
// with a user is none here: RFC 9110, 4.2.4 has no use for them.
func splitAuthority(s string) (host, port string, ok bool) {
	if s == "" || len(s) > maxAuthority {
		return "", "", false
	}
	rest := s
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false
		}
		host, rest = s[1:end], s[end+1:]
		if strings.Trim(host, "0123456789abcdefABCDEF:.") != "" || !strings.Contains(host, ":") {
			return "", "", false
		}
		if rest == "" {
			return host, "", true
		}
		if rest[0] != ':' {
			return "", "", false
		}
		port = rest[1:]
	} else {
		var has bool
		if host, port, has = strings.Cut(s, ":"); !has {
			return host, "", isHost(host)
		}
	}
	n, valid := digits(port)
	return host, port, valid && n <= 65535 && (s[0] == '[' || isHost(host))
}

// isHost reports whether s may be a name, or an IPv4 address.
func isHost(s string) bool {
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("-._~!$&'()*+,;=%", c) < 0 {
			return false
		}
	}
	return s != ""
}
