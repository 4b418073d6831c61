package wasihttp

import (
	"context"
	_ "embed"
	"errors"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/wasi"
)

//go:embed http.wit
var declarations string

// NewHost makes the host of all components: WASI 0.2 and wasi:http. Others can ask it what there is, with [component.Host.Check]; what is
// loaded for it must be instantiated here.
func NewHost() (*component.Host, error) { return component.NewHost(packages()...) }

func packages() []component.Package { return append(wasi.Packages(), hostPackage()) }

// loadComponent compiles a component and links it to a host of what it uses.
func loadComponent(ctx context.Context, r *instance.Runtime, d *component.Definition) (*component.Component, error) {
	host, err := component.NewHost(d.Uses(packages())...)
	if err != nil {
		return nil, err
	}
	c, err := component.Load(ctx, r, d, host)
	if !errors.Is(err, component.ErrImport) {
		return c, err
	}
	// What is missing is best told by a host that has everything.
	if host, err = NewHost(); err != nil {
		return nil, err
	}
	return component.Load(ctx, r, d, host)
}

// hostPackage is wasi:http. The state of an instance must be a state.
func hostPackage() component.Package {
	return component.Package{
		WIT: declarations,
		Interfaces: map[string]component.Interface{
			"types": {
				Funcs: map[string]component.HostFunc{
					"[constructor]fields":      fieldsNew,
					"[static]fields.from-list": fieldsFromList,
					"[method]fields.get":       fieldsGet,
					"[method]fields.has":       fieldsHas,
					"[method]fields.set":       fieldsSet,
					"[method]fields.delete":    fieldsDelete,
					"[method]fields.append":    fieldsAppend,
					"[method]fields.entries":   fieldsEntries,
					"[method]fields.clone":     fieldsClone,

					"[method]incoming-request.method":          incomingRequestMethod,
					"[method]incoming-request.path-with-query": incomingRequestPathWithQuery,
					"[method]incoming-request.scheme":          incomingRequestScheme,
					"[method]incoming-request.authority":       incomingRequestAuthority,
					"[method]incoming-request.headers":         incomingRequestHeaders,
					"[method]incoming-request.consume":         incomingRequestConsume,

					"[constructor]outgoing-request":                outgoingRequestNew,
					"[method]outgoing-request.body":                outgoingRequestBody,
					"[method]outgoing-request.method":              outgoingRequestMethod,
					"[method]outgoing-request.set-method":          outgoingRequestSetMethod,
					"[method]outgoing-request.path-with-query":     outgoingRequestPathWithQuery,
					"[method]outgoing-request.set-path-with-query": outgoingRequestSetPathWithQuery,
					"[method]outgoing-request.scheme":              outgoingRequestScheme,
					"[method]outgoing-request.set-scheme":          outgoingRequestSetScheme,
					"[method]outgoing-request.authority":           outgoingRequestAuthority,
					"[method]outgoing-request.set-authority":       outgoingRequestSetAuthority,
					"[method]outgoing-request.headers":             outgoingRequestHeaders,

					"[constructor]request-options":                      requestOptionsNew,
					"[method]request-options.connect-timeout":           readTimeout(connectTimeout),
					"[method]request-options.set-connect-timeout":       setTimeout(connectTimeout),
					"[method]request-options.first-byte-timeout":        readTimeout(firstByteTimeout),
					"[method]request-options.set-first-byte-timeout":    setTimeout(firstByteTimeout),
					"[method]request-options.between-bytes-timeout":     readTimeout(betweenBytesTimeout),
					"[method]request-options.set-between-bytes-timeout": setTimeout(betweenBytesTimeout),
					"[method]response-outparam.send-informational":      responseOutparamSendInformational,
					"[static]response-outparam.set":                     responseOutparamSet,
					"[method]incoming-response.status":                  incomingResponseStatus,
					"[method]incoming-response.headers":                 incomingResponseHeaders,
					"[method]incoming-response.consume":                 incomingResponseConsume,
					"[method]incoming-body.stream":                      incomingBodyStream,
					"[static]incoming-body.finish":                      incomingBodyFinish,
					"[method]future-trailers.subscribe":                 futureTrailersSubscribe,
					"[method]future-trailers.get":                       futureTrailersGet,
					"[constructor]outgoing-response":                    outgoingResponseNew,
					"[method]outgoing-response.status-code":             outgoingResponseStatusCode,
					"[method]outgoing-response.set-status-code":         outgoingResponseSetStatusCode,
					"[method]outgoing-response.headers":                 outgoingResponseHeaders,
					"[method]outgoing-response.body":                    outgoingResponseBody,
					"[method]outgoing-body.write":                       outgoingBodyWrite,
					"[static]outgoing-body.finish":                      outgoingBodyFinish,
					"[method]future-incoming-response.subscribe":        futureResponseSubscribe,
					"[method]future-incoming-response.get":              futureResponseGet,
					"http-error-code":                                   httpErrorCode,
				},
				Drop: map[string]func(any){
					"fields":                   func(r any) { r.(*fields).drop() },
					"outgoing-request":         func(r any) { r.(*outgoingRequest).drop() },
					"outgoing-response":        func(r any) { r.(*outgoingResponse).drop() },
					"outgoing-body":            func(r any) { r.(*outgoingBody).drop() },
					"incoming-response":        func(r any) { r.(*incomingResponse).drop() },
					"incoming-body":            func(r any) { r.(*incomingBody).drop() },
					"future-trailers":          func(r any) { r.(*futureTrailers).close() },
					"future-incoming-response": func(r any) { r.(*fetch).drop() },
					"response-outparam":        func(r any) { r.(*reply).drop() },
				},
			},
			"outgoing-handler": {
				Funcs: map[string]component.HostFunc{"handle": outgoingHandlerHandle},
			},
		},
	}
}
