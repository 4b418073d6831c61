package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// maxRedirects bounds local redirects of one request.
const maxRedirects = 10

// cgi is a core module, which answers requests if it speaks CGI/1.1 (RFC 3875).
type cgi struct {
	module *instance.Module
	env    environ
	call   instance.Call // what is the same for all requests
}

var (
	_ loaded      = (*cgi)(nil)
	_ application = (*cgi)(nil)
)

// loadCGI loads a core module.
func loadCGI(ctx context.Context, r *instance.Runtime, o Options) (*cgi, error) {
	if o.Sidecar.Snapshot {
		return nil, fmt.Errorf("MAYFLY_SNAPSHOT=init: %w: all that a module does it does in _start, which runs for each request: leave MAYFLY_SNAPSHOT or --snapshot out, or build a component",
			instance.ErrSnapshot)
	}
	m, err := r.Load(ctx, o.Wasm)
	if err != nil {
		return nil, err
	}
	g := &cgi{module: m, env: newEnviron(o.Env), call: instance.Call{Args: o.Args, Env: o.Env}}
	if o.Files != nil {
		g.call.FS = o.Files.Config()
	}
	return g, nil
}

// trigger implements loaded. Whether a module speaks CGI cannot be seen.
func (g *cgi) trigger() config.TriggerKind { return config.TriggerCommand }

func (g *cgi) footprint() uint64 { return g.module.Footprint() }

func (g *cgi) close() {}

// command implements loaded.
func (g *cgi) command(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	call := g.call
	call.Stdin, call.Stdout, call.Stderr = stdin, stdout, stderr
	i, err := g.module.Instantiate(ctx, call)
	if err != nil {
		return err
	}
	err = i.Run(ctx)
	return errors.Join(err, i.Close())
}

func (g *cgi) outlives() bool { return false }

// answer implements application. Where the guest redirects to another path of this server, another instance answers.
func (g *cgi) answer(x *exchange) (said, error) {
	if strings.IndexByte(x.r.URL.Path, 0) >= 0 { // no variable can hold it
		return said{}, errZeroByte
	}
	r, in, hops := x.r, x.in, 0
	for {
		c := &cgiRun{cgi: g, x: x, r: r, in: in, answer: answer{ctx: x.ctx, w: x.w, rc: x.rc, method: r.Method}}
		a := &c.answer
		err := x.inTurn(c.run)
		if err == nil {
			err = a.check()
		}
		to, local := a.head.local()
		if err != nil || !local {
			return said{status: a.head.code(), sent: a.sent}, err
		}
		if hops++; hops > maxRedirects {
			return said{}, errRedirects
		}
		if r, err = redirected(x, to); err != nil {
			return said{}, err
		}
		in = noBody()
	}
}

// cgiRun is an instance that answers a request, and all that it has.
type cgiRun struct {
	*instance.Instance
	cgi    *cgi
	x      *exchange
	r      *http.Request
	in     *body
	answer answer
	stderr guestStderr
	timing timing
}

var _ running = (*cgiRun)(nil)

// run runs it from its place in the queue to its end.
func (c *cgiRun) run(until time.Time) error {
	x, a := c.x, &c.answer
	if x.server.config.Sidecar.ServerTiming {
		a.timing = &c.timing
	}
	// A start section may speak already: all of this stands before the instance does.
	defer a.end()
	a.hurry = func() func() { return x.releaseWhenOver(&a.sending) }
	if c.in != &x.none {
		c.in.wait = a.flush
		a.hasten()
	}
	c.stderr.begin(&x.server.guests, x.id)
	defer c.stderr.Close()
	err := x.live(until, &c.timing, c)
	switch {
	case a.err != nil && x.ctx.Err() == nil:
		return a.err
	case err == nil && a.late: // it ended well, for it did not care
		return context.Cause(x.ctx)
	}
	return err
}

// Start implements running.
func (c *cgiRun) Start(ctx context.Context) (err error) {
	call := c.cgi.call
	call.Env, call.Stdin, call.Stdout, call.Stderr = c.cgi.env.of(c.r, c.x.id), c.in, &c.answer, &c.stderr
	c.Instance, err = c.cgi.module.Instantiate(ctx, call)
	return err
}

// redirected is the request that a local redirect makes of that of x: RFC 3875, 6.2.2. It has no body, for that was for the first.
func redirected(x *exchange, to string) (*http.Request, error) {
	x.in.close(x.rc.SetReadDeadline) // reading it changes the request
	u, err := url.ParseRequestURI(to)
	if err != nil || strings.IndexByte(u.Path, 0) >= 0 {
		return nil, notHTTP("its Location, %.60q, is no path", to)
	}
	r := x.r.Clone(x.ctx)
	r.URL, r.RequestURI = u, to
	if r.Method != http.MethodHead {
		r.Method = http.MethodGet
	}
	r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
	r.Header.Del("Content-Type")
	r.Header.Del("Content-Length")
	r.Header.Del("Content-Encoding")
	return r, nil
}
