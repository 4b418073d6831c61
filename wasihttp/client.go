package wasihttp

import (
	"crypto/tls"
	"net/http"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/outbound"
)

const (
	// maxResponseHead bounds the head of what answers a guest's request, in bytes.
	maxResponseHead = 128 << 10
	// idleConnections and idlePerHost bound the connections that wait for another request, for at most idleConnection.
	idleConnections = 100
	idlePerHost     = 32
	idleConnection  = 60 * time.Second
	// expectContinue is how long a server may take to say that it wants a body.
	expectContinue = time.Second
)

// client sends what guests ask for. All guests of a server share one: a connection is used again by whoever needs it next, and takes
// nothing from one guest to another. It keeps no cookies, follows no redirects, decodes no content, and knows no proxy.
type client struct {
	policy *outbound.Policy

	// Made when needed: many guests ask nobody, and many others only their pod.
	plain, secure func() *http.Transport

	mu   sync.Mutex // guards used
	used []*http.Transport
}

// newClient returns a client that goes where p allows. close frees it.
func newClient(p *outbound.Policy) *client {
	c := &client{policy: p}
	c.plain = sync.OnceValue(func() *http.Transport { return c.transport(schemeHTTP, nil) })
	c.secure = sync.OnceValue(func() *http.Transport { return c.transport(schemeHTTPS, &tls.Config{RootCAs: roots()}) })
	return c
}

func (c *client) transport(scheme string, t *tls.Config) *http.Transport {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(t != nil)
	made := &http.Transport{
		DialContext: c.policy.Dialer(scheme).DialContext, TLSClientConfig: t, Protocols: p,
		DisableCompression: true, MaxResponseHeaderBytes: maxResponseHead, ExpectContinueTimeout: expectContinue,
		MaxIdleConns: idleConnections, MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: idleConnection,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = append(c.used, made)
	return made
}

// allow returns an error if r may go nowhere. What its host resolves to is looked at when it is connected to.
func (c *client) allow(r *http.Request) error {
	host, port, ok := splitAuthority(r.Host)
	if !ok {
		return &codeError{code: codeRequestURIInvalid}
	}
	n, _ := digits(port)
	switch {
	case port != "":
	case r.URL.Scheme == schemeHTTPS:
		n = 443
	default:
		n = 80
	}
	if err := c.policy.Host(r.URL.Scheme, host, int(n)); err != nil {
		return &codeError{code: codeRequestDenied, err: err}
	}
	return nil
}

func (c *client) roundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == schemeHTTPS {
		return c.secure().RoundTrip(r)
	}
	return c.plain().RoundTrip(r)
}

// close closes the connections. No request may be under way.
func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.used {
		t.CloseIdleConnections()
	}
}
