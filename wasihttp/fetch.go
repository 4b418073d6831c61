package wasihttp

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

var (
	errGuestGone    = errors.New("the guest wants no answer any more")
	errBodyLeft     = errors.New("the guest left the request's body before it was whole")
	errTooManyCalls = errors.New("the guest has too many requests under way")
	errAllTooMany   = errors.New("all guests together have too many requests under way")
)

// outgoingHandlerHandle is wasi:http/outgoing-handler.handle.
func outgoingHandlerHandle(c *component.Call, args []component.Value) (component.Value, error) {
	g, r := guestOf(c), outgoingRequestOf(args[0])
	limits := noTimeouts
	if o, ok := args[1].Some(); ok {
		limits = requestOptionsOf(o).timeouts
	}
	f, err := g.fetch(c.Context(), r, limits)
	if err != nil {
		r.drop()
		return abi.Err(asCode(err).value()), nil
	}
	return abi.OK(abi.Resource(f)), nil
}

// fetch is a request of a guest and its answer: the resource wasi:http/types.future-incoming-response.
type fetch struct {
	guest  *guest
	sent   *message
	out    *outlet // of it; nil: the request has no body
	ctx    context.Context
	cancel context.CancelCauseFunc
	unlink func() bool   // from the guest's context
	ended  chan struct{} // closed when the head of the answer is there, or an error
	signal wasiio.Signal

	// These are set before ended is closed.
	raw *http.Response // nil: an error
	err *codeError

	// The guest's goroutine alone touches these.
	body   *body // of the answer; nil until taken
	taken  bool
	closed bool
	left   int // bytes that the guest has not read of an answer which is here whole
}

// fetch sends a request. ctx is the guest's.
func (g *guest) fetch(ctx context.Context, r *outgoingRequest, limits timeouts) (*fetch, error) {
	f := &fetch{guest: g, sent: &r.message, out: r.out, ended: make(chan struct{})}
	// Not a child of the guest's context: a connection whose answer was read to its end outlives the guest.
	f.ctx, f.cancel = context.WithCancelCause(context.Background())
	req, err := r.build(f.ctx)
	if err != nil {
		return nil, err
	}
	if err := g.client.allow(req); err != nil {
		return nil, err
	}
	if len(g.fetches) >= maxFetches && !g.sweep() {
		return nil, &codeError{code: codeConnectionLimitReached, err: errTooManyCalls}
	}
	if underWay.Add(1) > maxUnderWay {
		underWay.Add(-1)
		return nil, &codeError{code: codeConnectionLimitReached, err: errAllTooMany}
	}
	f.unlink = context.AfterFunc(ctx, func() { f.cancel(context.Cause(ctx)) })
	if g.fetches == nil {
		g.fetches = map[*fetch]struct{}{}
	}
	g.fetches[f] = struct{}{}
	go f.run(req, limits) // close waits for it
	return f, nil
}

// sweep forgets requests whose answers are here whole: guests that collect garbage drop them late. It reports whether there were any.
func (g *guest) sweep() bool {
	before := len(g.fetches)
	for f := range g.fetches {
		if f.body == nil || !f.body.whole() {
			continue
		}
		if n := f.body.size(); g.held+n <= maxHeld {
			g.held += n
			f.left = n
			f.close()
		}
	}
	return len(g.fetches) < before
}

// build makes what net/http sends, for as long as ctx lasts.
func (r *outgoingRequest) build(ctx context.Context) (*http.Request, error) {
	bad := func(code int) (*http.Request, error) { return nil, &codeError{code: code} }
	scheme := r.scheme
	switch {
	case !r.hasScheme:
		scheme = schemeHTTPS
	case scheme != schemeHTTP && scheme != schemeHTTPS:
		return bad(codeProtocolError)
	}
	length, ok := r.fields.length()
	switch {
	case !ok:
		return bad(codeProtocolError)
	case r.method == http.MethodConnect: // a tunnel: this is about requests
		return bad(codeRequestMethodInvalid)
	case !r.hasAuthority:
		return bad(codeRequestURIInvalid)
	case r.out == nil && length > 0:
		return nil, &codeError{code: codeRequestBodySize, payload: abi.Some(abi.U64(0))}
	}
	u, ok := target(r.path)
	if !ok {
		return bad(codeRequestURIInvalid)
	}
	u.Scheme, u.Host = scheme, r.authority
	req := &http.Request{Method: r.method, URL: u, Host: r.authority, Header: make(http.Header, len(r.fields.list)+1)}
	r.fields.copyTo(req.Header)
	if !r.fields.has("User-Agent") {
		req.Header["User-Agent"] = nil // or net/http would send its own
	}
	r.attach(ctx, req, length)
	return req, nil
}

// attach gives req the guest's body.
func (r *outgoingRequest) attach(ctx context.Context, req *http.Request, length int64) {
	if r.out == nil {
		return
	}
	r.out.mu.Lock()
	r.out.eager = true
	if r.out.ending == finished && r.out.trailers == nil {
		length = r.out.written // all of it is there
	}
	r.out.mu.Unlock()
	if length == 0 {
		req.Body = http.NoBody
		return
	}
	req.ContentLength = length
	// HTTP/2 sends only trailers that were announced.
	req.Trailer = http.Header{}
	for _, v := range r.fields.values("Trailer") {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.TrimSpace(name); isToken([]byte(name)) && !forbidden[strings.ToLower(name)] {
				req.Trailer[http.CanonicalHeaderKey(name)] = nil
			}
		}
	}
	req.Body = &outletReader{outlet: r.out, ctx: ctx, trailers: req.Trailer}
}

// target is a request's path and query in the form in which net/http changes nothing of it.
func target(path string) (*url.URL, bool) {
	switch {
	case path == "", path[0] == '?':
		path = "/" + path
	case strings.HasPrefix(path, "//"):
		p, query, has := strings.Cut(path, "?")
		plain, err := url.PathUnescape(p)
		return &url.URL{Path: plain, RawPath: p, RawQuery: query, ForceQuery: has && query == ""}, err == nil
	}
	return &url.URL{Opaque: path}, true
}

// run sends the request and waits for the head of the answer.
func (f *fetch) run(req *http.Request, limits timeouts) {
	defer f.signal.Notify()
	defer close(f.ended)
	ctx, watch := f.ctx, &deadline{cancel: f.cancel}
	if limits.connect >= 0 || limits.firstByte >= 0 {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GetConn: func(string) { watch.set(limits.connect, codeConnectionTimeout) },
			GotConn: func(httptrace.GotConnInfo) { watch.set(limits.firstByte, codeConnectionReadTimeout) },
		})
	}
	res, err := f.guest.client.roundTrip(req.WithContext(ctx))
	watch.stop()
	switch {
	case err != nil:
		f.err = classify(f.ctx, err, false)
	case res.StatusCode == http.StatusSwitchingProtocols: // nobody asked
		_ = res.Body.Close()
		f.err = &codeError{code: codeUpgradeFailed}
	default:
		f.raw = res
		if limits.betweenBytes >= 0 {
			res.Body = &timedBody{ReadCloser: res.Body, deadline: watch, limit: limits.betweenBytes}
		}
	}
}

// answer is what came, once ended is closed.
func (f *fetch) answer() *incomingResponse {
	f.body = noBody()
	if f.raw.Body != http.NoBody {
		f.body = readBody(f.raw.Body, f.raw.ContentLength, func(err error) error { return classify(f.ctx, err, true) })
		f.body.wait = f.guest.waits
	}
	if names := announced(f.raw.Trailer); names != "" {
		f.raw.Header.Set("Trailer", names)
	}
	return &incomingResponse{
		fetch: f, status: f.raw.StatusCode, fields: newFields(f.raw.Header), body: f.body,
		trailer: func() http.Header { return f.raw.Trailer },
	}
}

// leave ends what is left of the request when the guest has dropped the answer.
func (f *fetch) leave() {
	f.close()
	f.body.forget()
	f.guest.release(f.left)
	f.left = 0
}

// close ends all that is left of the request, and waits for that.
func (f *fetch) close() {
	if f.closed {
		return
	}
	f.closed = true
	underWay.Add(-1)
	delete(f.guest.fetches, f)
	f.unlink()
	if f.body == nil || !f.body.whole() {
		f.cancel(errGuestGone)
	}
	<-f.ended
	if f.out != nil {
		f.out.refuse(wasiio.ErrClosed)
	}
	if f.raw != nil {
		_ = f.raw.Body.Close()
	}
	if f.body != nil {
		f.body.close(func(time.Time) error { return nil })
		f.raw = &http.Response{Trailer: f.raw.Trailer} // the guest may have a handle for long
	}
	f.sent.release()
	f.sent, f.out = nil, nil
}

// Ready implements wasiio.Pollable.
func (f *fetch) Ready() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// Watch implements wasiio.Pollable.
func (f *fetch) Watch(wake func()) (stop func()) {
	f.guest.waits()
	stop = f.signal.Watch(wake)
	if f.Ready() {
		wake()
	}
	return stop
}

// futureResponseSubscribe is wasi:http/types.[method]future-incoming-response.subscribe.
func futureResponseSubscribe(_ *component.Call, args []component.Value) (component.Value, error) {
	return wasiio.NewPollable(args[0].Resource().(*fetch)), nil
}

// futureResponseGet is wasi:http/types.[method]future-incoming-response.get.
func futureResponseGet(_ *component.Call, args []component.Value) (component.Value, error) {
	f := args[0].Resource().(*fetch)
	switch {
	case !f.Ready():
		return abi.None(), nil
	case f.taken:
		return abi.Some(abi.Err(component.Value{})), nil
	}
	f.taken = true
	if f.err != nil {
		return abi.Some(abi.OK(abi.Err(f.err.value()))), nil
	}
	answer := f.answer()
	if _, err := answer.fields.heldBy(f.guest); err != nil {
		return component.Value{}, err
	}
	return abi.Some(abi.OK(abi.OK(abi.Resource(answer)))), nil
}

// drop ends a request whose answer nobody took.
func (f *fetch) drop() {
	if f.body == nil {
		f.close()
	}
}
