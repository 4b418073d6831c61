package wasihttp

import (
	"io"
	"net/http"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// incomingRequest is the resource wasi:http/types.incoming-request.
type incomingRequest struct {
	x        *exchange
	fields   *fields // nil until asked for
	consumed bool
}

func incomingRequestOf(v component.Value) *incomingRequest { return v.Resource().(*incomingRequest) }

// incomingRequestMethod is wasi:http/types.[method]incoming-request.method.
func incomingRequestMethod(_ *component.Call, args []component.Value) (component.Value, error) {
	return methodValue(incomingRequestOf(args[0]).x.r.Method), nil
}

// incomingRequestPathWithQuery is wasi:http/types.[method]incoming-request.path-with-query.
func incomingRequestPathWithQuery(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.Some(abi.String(requestURI(incomingRequestOf(args[0]).x.r))), nil
}

// incomingRequestScheme is wasi:http/types.[method]incoming-request.scheme.
func incomingRequestScheme(*component.Call, []component.Value) (component.Value, error) {
	return abi.Some(schemeValue(schemeHTTP)), nil
}

// incomingRequestAuthority is wasi:http/types.[method]incoming-request.authority.
func incomingRequestAuthority(_ *component.Call, args []component.Value) (component.Value, error) {
	if host := incomingRequestOf(args[0]).x.r.Host; host != "" {
		return abi.Some(abi.String(host)), nil
	}
	return abi.None(), nil
}

// incomingRequestHeaders is wasi:http/types.[method]incoming-request.headers. The request's id is among them.
func incomingRequestHeaders(c *component.Call, args []component.Value) (component.Value, error) {
	r := incomingRequestOf(args[0])
	if r.fields == nil {
		header := r.x.r.Header
		if id := header.Values(requestIDField); len(id) != 1 || id[0] != r.x.id || r.x.announced != "" {
			header = header.Clone()
			header.Set(requestIDField, r.x.id)
			if r.x.announced != "" {
				header.Set("Trailer", r.x.announced)
			}
		}
		r.fields = newFields(header)
	}
	return fieldsValue(r.fields.view(), guestOf(c))
}

// incomingRequestConsume is wasi:http/types.[method]incoming-request.consume.
func incomingRequestConsume(_ *component.Call, args []component.Value) (component.Value, error) {
	r := incomingRequestOf(args[0])
	if r.consumed {
		return abi.Err(component.Value{}), nil
	}
	r.consumed = true
	trailer := func() http.Header { return r.x.r.Trailer }
	return abi.OK(abi.Resource(&incomingBody{body: r.x.in, trailer: trailer, close: func() {}})), nil
}

// incomingResponse is the resource wasi:http/types.incoming-response.
type incomingResponse struct {
	fetch    *fetch
	status   int
	fields   *fields
	body     *body
	trailer  func() http.Header
	consumed bool
}

func incomingResponseOf(v component.Value) *incomingResponse { return v.Resource().(*incomingResponse) }

// incomingResponseStatus is wasi:http/types.[method]incoming-response.status.
func incomingResponseStatus(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.U16(uint16(incomingResponseOf(args[0]).status)), nil
}

// incomingResponseHeaders is wasi:http/types.[method]incoming-response.headers.
func incomingResponseHeaders(c *component.Call, args []component.Value) (component.Value, error) {
	return fieldsValue(incomingResponseOf(args[0]).fields.view(), guestOf(c))
}

// incomingResponseConsume is wasi:http/types.[method]incoming-response.consume.
func incomingResponseConsume(_ *component.Call, args []component.Value) (component.Value, error) {
	r := incomingResponseOf(args[0])
	if r.consumed {
		return abi.Err(component.Value{}), nil
	}
	r.consumed = true
	return abi.OK(abi.Resource(&incomingBody{body: r.body, trailer: r.trailer, close: r.fetch.leave})), nil
}

func (r *incomingResponse) drop() {
	r.fields.drop()
	if !r.consumed {
		r.fetch.leave()
	}
}

// incomingBody is the resource wasi:http/types.incoming-body.
type incomingBody struct {
	body    *body
	trailer func() http.Header // of the message, once the body is at its end
	close   func()             // nobody wants anything of the message any more
	stream  *bodyStream        // nil until taken
}

// incomingBodyStream is wasi:http/types.[method]incoming-body.stream.
func incomingBodyStream(_ *component.Call, args []component.Value) (component.Value, error) {
	b := args[0].Resource().(*incomingBody)
	if b.stream != nil {
		return abi.Err(component.Value{}), nil
	}
	b.stream = &bodyStream{body: b.body}
	return abi.OK(wasiio.NewInput(b.stream)), nil
}

// incomingBodyFinish is wasi:http/types.[static]incoming-body.finish.
func incomingBodyFinish(_ *component.Call, args []component.Value) (component.Value, error) {
	b := args[0].Resource().(*incomingBody)
	if b.stream != nil && !b.stream.closed {
		return component.Value{}, trapped("incoming-body.finish while its stream is there")
	}
	b.body.finish()
	return abi.Resource(&futureTrailers{incomingBody: b}), nil
}

// drop leaves a body. Its stream, which should have gone before it, may be read still.
func (b *incomingBody) drop() {
	if b.stream != nil && !b.stream.closed {
		b.stream.last = b.close
		return
	}
	b.close()
}

// bodyStream is the input-stream of a body.
type bodyStream struct {
	body   *body
	closed bool
	last   func() // called when the stream is closed; nil: its incoming-body is there
}

var _ wasiio.InputStream = (*bodyStream)(nil)

// Read implements wasiio.InputStream.
func (s *bodyStream) Read(limit int) ([]byte, error) { return s.body.take(limit) }

// Ready implements wasiio.Pollable.
func (s *bodyStream) Ready() bool { return s.body.ready() }

// Watch implements wasiio.Pollable.
func (s *bodyStream) Watch(wake func()) (stop func()) { return s.body.watch(wake) }

// Close implements wasiio.InputStream.
func (s *bodyStream) Close() error {
	s.closed = true
	if s.last != nil {
		s.last()
	}
	return nil
}

// awaited reports whether the client waits to be told that somebody wants the body, or has been told just now.
func (b *body) awaited() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.expected
}

// watch has wake called when something of the body may have come.
func (b *body) watch(wake func()) (stop func()) {
	if b.ready() {
		wake()
		return func() {}
	}
	if !b.awaited() {
		b.wait()
	}
	stop = b.signal.Watch(wake)
	if b.ready() {
		wake()
	}
	return stop
}

// futureTrailers is the resource wasi:http/types.future-trailers.
type futureTrailers struct {
	*incomingBody
	taken bool
}

func futureTrailersOf(v component.Value) *futureTrailers { return v.Resource().(*futureTrailers) }

// futureTrailersSubscribe is wasi:http/types.[method]future-trailers.subscribe.
func futureTrailersSubscribe(_ *component.Call, args []component.Value) (component.Value, error) {
	return wasiio.NewPollable(futureTrailersOf(args[0])), nil
}

// futureTrailersGet is wasi:http/types.[method]future-trailers.get.
func futureTrailersGet(c *component.Call, args []component.Value) (component.Value, error) {
	f := futureTrailersOf(args[0])
	end := f.body.end()
	switch {
	case end == nil:
		return abi.None(), nil
	case f.taken:
		return abi.Some(abi.Err(component.Value{})), nil
	}
	f.taken = true
	if end != io.EOF {
		return abi.Some(abi.OK(abi.Err(asCode(end).value()))), nil
	}
	some := abi.None()
	if trailer := newFields(f.trailer()); len(trailer.list) > 0 {
		v, err := fieldsValue(trailer, guestOf(c))
		if err != nil {
			return v, err
		}
		some = abi.Some(v)
	}
	return abi.Some(abi.OK(abi.OK(some))), nil
}

// Ready implements wasiio.Pollable.
func (f *futureTrailers) Ready() bool { return f.body.end() != nil }

// Watch implements wasiio.Pollable.
func (f *futureTrailers) Watch(wake func()) (stop func()) {
	stop = f.body.signal.Watch(wake)
	if f.Ready() {
		wake()
	}
	return stop
}
