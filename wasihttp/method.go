package wasihttp

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// methods are the cases of wasi:http/types.method, in order, less the last, other.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodConnect, http.MethodOptions,
	http.MethodTrace, http.MethodPatch,
}

const maxMethod = 128 // bytes

func methodValue(m string) component.Value {
	if i := slices.Index(methods, m); i >= 0 {
		return abi.Enum(i)
	}
	return abi.Variant(len(methods), abi.String(m))
}

// methodOf reads a method. It reports whether that could be one.
func methodOf(v component.Value) (string, bool) {
	if v.Case() < len(methods) {
		return methods[v.Case()], true
	}
	m := strings.Clone(v.Payload().String())
	return m, len(m) <= maxMethod && isToken([]byte(m))
}

// The schemes of requests that are HTTP. They are the first cases of wasi:http/types.scheme; the last is other.
const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
)

var schemes = []string{schemeHTTP, schemeHTTPS}

func schemeValue(s string) component.Value {
	if i := slices.Index(schemes, s); i >= 0 {
		return abi.Enum(i)
	}
	return abi.Variant(len(schemes), abi.String(s))
}

// schemeOf reads a scheme. It reports whether that could be one (RFC 3986, 3.1).
func schemeOf(v component.Value) (string, bool) {
	if v.Case() < len(schemes) {
		return schemes[v.Case()], true
	}
	s := strings.Clone(v.Payload().String())
	if s == "" || len(s) > 64 {
		return "", false
	}
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return "", false
		}
	}
	return s, true
}
