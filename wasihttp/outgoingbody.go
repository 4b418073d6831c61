package wasihttp

import (
	"net/http"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// outgoingBody is the resource wasi:http/types.outgoing-body.
type outgoingBody struct {
	out    *outlet
	stream *outletStream // nil until taken
}

// outgoingBodyWrite is wasi:http/types.[method]outgoing-body.write.
func outgoingBodyWrite(_ *component.Call, args []component.Value) (component.Value, error) {
	b := args[0].Resource().(*outgoingBody)
	if b.stream != nil {
		return abi.Err(component.Value{}), nil
	}
	b.stream = &outletStream{outlet: b.out}
	return abi.OK(wasiio.NewOutput(b.stream)), nil
}

// outgoingBodyFinish is wasi:http/types.[static]outgoing-body.finish.
func outgoingBodyFinish(_ *component.Call, args []component.Value) (component.Value, error) {
	b := args[0].Resource().(*outgoingBody)
	if b.stream != nil && !b.stream.closed {
		return component.Value{}, trapped("outgoing-body.finish while its stream is there")
	}
	var trailers http.Header
	if v, ok := args[1].Some(); ok {
		trailers = http.Header{}
		fieldsOf(v).copyTo(trailers)
	}
	return codeResult(b.out.finish(trailers)), nil
}

// drop leaves a body that may not be whole: who receives it must see that.
func (b *outgoingBody) drop() { b.out.abort() }
