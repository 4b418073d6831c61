package wasihttp

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// serverSoftware is how mayfly names itself to guests.
const serverSoftware = "mayfly"

// metaVariables are those of RFC 3875, 4.1, and the two that servers add by custom. Where a request has none of one the guest
// sees none, not what the container's environment happens to hold under that name.
var metaVariables = map[string]bool{
	"AUTH_TYPE": true, "CONTENT_LENGTH": true, "CONTENT_TYPE": true, "GATEWAY_INTERFACE": true, "PATH_INFO": true,
	"PATH_TRANSLATED": true, "QUERY_STRING": true, "REMOTE_ADDR": true, "REMOTE_HOST": true, "REMOTE_IDENT": true,
	"REMOTE_USER": true, "REQUEST_METHOD": true, "SCRIPT_NAME": true, "SERVER_NAME": true, "SERVER_PORT": true,
	"SERVER_PROTOCOL": true, "SERVER_SOFTWARE": true,
	"REMOTE_PORT": true, "REQUEST_URI": true,
}

// notForGuests are header fields that make no variable: those about the connection, those that have a variable of their own, and
// Proxy, which would become HTTP_PROXY, the variable many programs take their proxy from.
var notForGuests = map[string]bool{
	"Connection": true, "Content-Length": true, "Content-Type": true, "Expect": true, "Host": true, "Http2-Settings": true,
	"Keep-Alive": true, "Proxy": true, "Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true,
	"Upgrade": true, requestIDField: true,
}

// environ makes the environments of guests.
type environ struct {
	plain []string // of the container; no request changes them
	http  []string // those named HTTP_…, which header fields replace
}

func newEnviron(env []string) environ {
	var e environ
	for _, kv := range env {
		name, _, ok := strings.Cut(kv, "=")
		switch {
		case !ok || name == "" || metaVariables[name]:
		case strings.HasPrefix(name, "HTTP_"):
			e.http = append(e.http, kv)
		default:
			e.plain = append(e.plain, kv)
		}
	}
	return e
}

// of returns the environment for a request, as RFC 3875, 4.1 has it, on top of the container's.
// The whole of the path is PATH_INFO: a module is all there is behind its port.
func (e environ) of(r *http.Request, id string) []string {
	v := variables{text: make([]byte, 0, usualText), ends: make([]int, 0, usualVariables)}
	host, port := splitAddress(r.RemoteAddr)
	name, at := serverAddress(r)
	v.add("GATEWAY_INTERFACE=CGI/1.1")
	v.add("SERVER_SOFTWARE=", serverSoftware)
	v.add("SERVER_PROTOCOL=", r.Proto)
	v.add("SERVER_NAME=", name)
	v.add("SERVER_PORT=", at)
	v.add("REQUEST_METHOD=", r.Method)
	v.add("SCRIPT_NAME=")
	v.add("PATH_INFO=", pathInfo(r))
	v.add("QUERY_STRING=", r.URL.RawQuery)
	v.add("REQUEST_URI=", requestURI(r))
	v.add("REMOTE_ADDR=", host)
	v.add("REMOTE_HOST=", host)
	if port != "" {
		v.add("REMOTE_PORT=", port)
	}
	if t := r.Header.Get("Content-Type"); t != "" {
		v.add("CONTENT_TYPE=", t)
	}
	// "if and only if the request is accompanied by a message-body entity"; of one that comes in chunks nobody knows the length.
	if r.ContentLength > 0 || r.ContentLength == 0 && r.Header.Get("Content-Length") != "" {
		v.add("CONTENT_LENGTH=", strconv.FormatInt(r.ContentLength, 10))
	}
	fields := len(v.ends)
	v.add("HTTP_X_REQUEST_ID=", id)
	if r.Host != "" {
		v.add("HTTP_HOST=", r.Host)
	}
	for field, values := range r.Header {
		v.addField(field, values)
	}
	env := append(make([]string, 0, len(e.plain)+len(e.http)+len(v.ends)), e.plain...)
	env = v.appendTo(env)
	return e.addHTTP(env, env[len(e.plain)+fields:])
}

// What the variables of a request have at most, most often.
const (
	usualVariables = 40
	usualText      = 1 << 10 // bytes
)

// variables are the variables of a request, in one piece of text.
type variables struct {
	text []byte
	ends []int
}

// add adds a variable: its name, =, and its value.
func (v *variables) add(parts ...string) {
	for _, p := range parts {
		v.text = append(v.text, p...)
	}
	v.ends = append(v.ends, len(v.text))
}

// addField adds the variable for a header field, which not every field has.
func (v *variables) addField(field string, values []string) {
	if named, ok := appendVariable(v.text, field); ok {
		v.text = append(named, '=')
		v.add(join(field, values))
	}
}

// appendTo appends the variables to env.
func (v *variables) appendTo(env []string) []string {
	text, begin := string(v.text), 0
	for _, end := range v.ends {
		env = append(env, text[begin:end])
		begin = end
	}
	return env
}

// addHTTP adds the container's variables named HTTP_… that are not among set.
func (e environ) addHTTP(env, set []string) []string {
next:
	for _, kv := range e.http {
		name, _, _ := strings.Cut(kv, "=")
		for _, other := range set {
			if strings.HasPrefix(other, name) && other[len(name)] == '=' {
				continue next
			}
		}
		env = append(env, kv)
	}
	return env
}

// appendVariable appends the name of the variable for a header field, which not every field has.
//
// Only letters, digits and hyphens map to one name and back. Others are dropped, underscores above all: X_Real_Ip and X-Real-Ip
// would be the same variable, so that a client could set what a proxy in front meant to set.
func appendVariable(text []byte, field string) ([]byte, bool) {
	if notForGuests[field] {
		return nil, false
	}
	text = append(text, "HTTP_"...)
	for _, c := range []byte(field) {
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-':
			c = '_'
		default:
			return nil, false
		}
		text = append(text, c)
	}
	return text, true
}

// join makes one value of those that a field has. HTTP/2 sends cookies one by one, and what joins them is no comma.
func join(field string, values []string) string {
	if field == "Cookie" {
		return strings.Join(values, "; ")
	}
	return strings.Join(values, ", ")
}

// pathInfo is the path. "OPTIONS *" is about none.
func pathInfo(r *http.Request) string {
	if r.URL.Path == "*" {
		return ""
	}
	return r.URL.Path
}

// requestURI is the path and query as the client wrote them, also when it wrote a whole URI.
func requestURI(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// splitAddress takes a peer's address apart. A peer on a unix socket has none, and is on this machine.
func splitAddress(a string) (host, port string) {
	host, port, err := net.SplitHostPort(a)
	if err != nil {
		return "127.0.0.1", ""
	}
	host, _, _ = strings.Cut(host, "%") // the zone is of no use to others
	return host, port
}

// serverAddress is the name that the client used for this server, or else the address it came to; and the port.
func serverAddress(r *http.Request) (name, port string) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	name, port = "localhost", "80"
	if tcp, ok := local.(*net.TCPAddr); ok {
		name, port = tcp.IP.String(), strconv.Itoa(tcp.Port)
	}
	if h := (&url.URL{Host: r.Host}).Hostname(); h != "" && strings.Trim(h, hostCharacters) == "" {
		name = h
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]" // as RFC 3875, 4.1.14 writes an IPv6 address
	}
	return name, port
}

const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"
