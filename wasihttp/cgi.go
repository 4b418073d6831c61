package wasihttp

import (
	"context"
	"errors"
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
		a := &answer{ctx: x.ctx, w: x.w, rc: x.rc, method: r.Method}
		err := g.run(x, r, in, a)
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

// run runs one instance for r from its place in the queue to its end.
func (g *cgi) run(x *exchange, r *http.Request, in *body, a *answer) error {
	t := &timing{}
	if x.server.config.Sidecar.ServerTiming {
		a.timing = t
	}
	return x.inTurn(func(until time.Time) error {
		// A start section may speak already: all of this stands before the instance does.
		defer a.end()
		release := x.releaseWhenOver(&a.sending)
		defer release()
		stderr := &guestStderr{}
		stderr.begin(&x.server.guests, x.id)
		defer stderr.Close()
		in.wait = a.flush
		call := g.call
		call.Env, call.Stdin, call.Stdout, call.Stderr = g.env.of(r, x.id), in, a, stderr
		err := x.live(until, t, &cgiRun{module: g.module, call: call})
		switch {
		case a.err != nil && x.ctx.Err() == nil:
			return a.err
		case err == nil && a.late: // it ended well, for it did not care
			return context.Cause(x.ctx)
		}
		return err
	})
}

// cgiRun is an instance that answers a request.
type cgiRun struct {
	module *instance.Module
	call   instance.Call
	*instance.Instance
}

var _ running = (*cgiRun)(nil)

// Start implements running.
func (r *cgiRun) Start(ctx context.Context) (err error) {
	r.Instance, err = r.module.Instantiate(ctx, r.call)
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
