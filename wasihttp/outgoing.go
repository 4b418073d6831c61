package wasihttp

import (
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// message is what outgoing requests and responses have in common.
type message struct {
	fields *fields // not to be changed
	out    *outlet // nil: nobody asked for the body
	kept   int     // bytes that the guest holds in it beside these
}

// newMessage takes fields over from the guest.
func newMessage(v component.Value) message {
	f := fieldsOf(v)
	f.immutable = true
	return message{fields: f}
}

func (m *message) headers() (component.Value, error) {
	return fieldsValue(m.fields.view(), m.fields.guest)
}

// body gives out the body, once, and not if nobody could say how long it is.
func (m *message) body(response, silent bool) component.Value {
	length, ok := m.fields.length()
	if m.out != nil || !ok {
		return abi.Err(component.Value{})
	}
	if silent {
		length = -1 // what is announced is never sent
	}
	m.out = newOutlet(length, response)
	m.out.guest = m.fields.guest
	if reply := m.out.guest.reply; response && reply != nil {
		m.out.request = reply.x.in
	}
	return abi.OK(abi.Resource(&outgoingBody{out: m.out}))
}

// outgoingRequest is the resource wasi:http/types.outgoing-request.
type outgoingRequest struct {
	message
	method    string
	path      string // with the query
	scheme    string
	authority string

	hasPath, hasScheme, hasAuthority bool
}

func outgoingRequestOf(v component.Value) *outgoingRequest { return v.Resource().(*outgoingRequest) }

// some is an option<string>.
func some(s string, ok bool) component.Value {
	if !ok {
		return abi.None()
	}
	return abi.Some(abi.String(s))
}

// good is a result without payloads.
func good(ok bool) component.Value {
	if ok {
		return abi.OK(component.Value{})
	}
	return abi.Err(component.Value{})
}

// outgoingRequestNew is wasi:http/types.[constructor]outgoing-request.
func outgoingRequestNew(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.Resource(&outgoingRequest{message: newMessage(args[0]), method: methods[0]}), nil
}

// outgoingRequestBody is wasi:http/types.[method]outgoing-request.body.
func outgoingRequestBody(_ *component.Call, args []component.Value) (component.Value, error) {
	return outgoingRequestOf(args[0]).body(false, false), nil
}

// outgoingRequestMethod is wasi:http/types.[method]outgoing-request.method.
func outgoingRequestMethod(_ *component.Call, args []component.Value) (component.Value, error) {
	return methodValue(outgoingRequestOf(args[0]).method), nil
}

// outgoingRequestSetMethod is wasi:http/types.[method]outgoing-request.set-method.
func outgoingRequestSetMethod(_ *component.Call, args []component.Value) (component.Value, error) {
	m, ok := methodOf(args[1])
	if ok {
		outgoingRequestOf(args[0]).method = m
	}
	return good(ok), nil
}

// outgoingRequestPathWithQuery is wasi:http/types.[method]outgoing-request.path-with-query.
func outgoingRequestPathWithQuery(_ *component.Call, args []component.Value) (component.Value, error) {
	r := outgoingRequestOf(args[0])
	return some(r.path, r.hasPath), nil
}

// outgoingRequestSetPathWithQuery is wasi:http/types.[method]outgoing-request.set-path-with-query.
func outgoingRequestSetPathWithQuery(_ *component.Call, args []component.Value) (component.Value, error) {
	r := outgoingRequestOf(args[0])
	v, has := args[1].Some()
	path := ""
	if has {
		if path = strings.Clone(v.String()); !isPath(path) {
			return good(false), nil
		}
	}
	if err := r.keep(len(path) - len(r.path)); err != nil {
		return component.Value{}, err
	}
	r.path, r.hasPath = path, has
	return good(true), nil
}

// outgoingRequestScheme is wasi:http/types.[method]outgoing-request.scheme.
func outgoingRequestScheme(_ *component.Call, args []component.Value) (component.Value, error) {
	r := outgoingRequestOf(args[0])
	if !r.hasScheme {
		return abi.None(), nil
	}
	return abi.Some(schemeValue(r.scheme)), nil
}

// outgoingRequestSetScheme is wasi:http/types.[method]outgoing-request.set-scheme.
func outgoingRequestSetScheme(_ *component.Call, args []component.Value) (component.Value, error) {
	r := outgoingRequestOf(args[0])
	v, has := args[1].Some()
	scheme, ok := "", true
	if has {
		scheme, ok = schemeOf(v)
	}
	if ok {
		r.scheme, r.hasScheme = scheme, has
	}
	return good(ok), nil
}

// outgoingRequestAuthority is wasi:http/types.[method]outgoing-request.authority.
func outgoingRequestAuthority(_ *component.Call, args []component.Value) (component.Value, error) {
	r := outgoingRequestOf(args[0])
	return some(r.authority, r.hasAuthority), nil
}

// outgoingRequestSetAuthority is wasi:http/types.[method]outgoing-request.set-authority.
func outgoingRequestSetAuthority(_ *component.Call, args []component.Value) (component.Value, error) {
	r := outgoingRequestOf(args[0])
	v, has := args[1].Some()
	authority := ""
	if has {
		authority = strings.Clone(v.String())
		if _, _, ok := splitAuthority(authority); !ok {
			return good(false), nil
		}
	}
	if err := r.keep(len(authority) - len(r.authority)); err != nil {
		return component.Value{}, err
	}
	r.authority, r.hasAuthority = authority, has
	return good(true), nil
}

// outgoingRequestHeaders is wasi:http/types.[method]outgoing-request.headers.
func outgoingRequestHeaders(_ *component.Call, args []component.Value) (component.Value, error) {
	return outgoingRequestOf(args[0]).headers()
}

// keep counts what the guest holds beside the fields and the body.
func (m *message) keep(bytes int) error {
	if err := m.fields.guest.hold(bytes); err != nil {
		return err
	}
	m.kept += bytes
	return nil
}

// drop ends a message that was never sent.
func (m *message) drop() {
	if m.out != nil {
		m.out.refuse(wasiio.ErrClosed)
	}
	m.release()
}

// release is called when the guest has nothing of the message any more.
func (m *message) release() {
	if m.out != nil {
		m.out.release()
	}
	m.fields.guest.release(m.kept)
	m.fields.drop()
}

// outgoingResponse is the resource wasi:http/types.outgoing-response.
type outgoingResponse struct {
	message
	status int
}

func outgoingResponseOf(v component.Value) *outgoingResponse { return v.Resource().(*outgoingResponse) }

// The statuses a response may have.
const (
	statusDefault = 200
	statusLeast   = 100
	statusMost    = 999
)

// outgoingResponseNew is wasi:http/types.[constructor]outgoing-response.
func outgoingResponseNew(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.Resource(&outgoingResponse{message: newMessage(args[0]), status: statusDefault}), nil
}

// outgoingResponseStatusCode is wasi:http/types.[method]outgoing-response.status-code.
func outgoingResponseStatusCode(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.U16(uint16(outgoingResponseOf(args[0]).status)), nil
}

// outgoingResponseSetStatusCode is wasi:http/types.[method]outgoing-response.set-status-code.
func outgoingResponseSetStatusCode(_ *component.Call, args []component.Value) (component.Value, error) {
	code := int(args[1].U16())
	ok := code >= statusLeast && code <= statusMost
	if ok {
		outgoingResponseOf(args[0]).status = code
	}
	return good(ok), nil
}

// outgoingResponseHeaders is wasi:http/types.[method]outgoing-response.headers.
func outgoingResponseHeaders(_ *component.Call, args []component.Value) (component.Value, error) {
	return outgoingResponseOf(args[0]).headers()
}

// outgoingResponseBody is wasi:http/types.[method]outgoing-response.body.
func outgoingResponseBody(c *component.Call, args []component.Value) (component.Value, error) {
	return outgoingResponseOf(args[0]).body(true, guestOf(c).hasNoBody()), nil
}
