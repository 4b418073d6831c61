package wasiio

import (
	_ "embed"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

//go:embed io.wit
var declarations string

// Package is wasi:io. It needs no state.
func Package() component.Package {
	return component.Package{
		WIT: declarations,
		Interfaces: map[string]component.Interface{
			"error": {
				Funcs: map[string]component.HostFunc{"[method]error.to-debug-string": toDebugString},
			},
			"poll": {
				Funcs: map[string]component.HostFunc{
					"poll":                   pollAll,
					"[method]pollable.ready": pollableReady,
					"[method]pollable.block": pollableBlock,
				},
			},
			"streams": {
				Funcs: map[string]component.HostFunc{
					"[method]input-stream.read":                             inputRead,
					"[method]input-stream.blocking-read":                    inputBlockingRead,
					"[method]input-stream.skip":                             inputSkip,
					"[method]input-stream.blocking-skip":                    inputBlockingSkip,
					"[method]input-stream.subscribe":                        inputSubscribe,
					"[method]output-stream.check-write":                     outputCheckWrite,
					"[method]output-stream.write":                           outputWrite,
					"[method]output-stream.blocking-write-and-flush":        outputBlockingWriteAndFlush,
					"[method]output-stream.flush":                           outputFlush,
					"[method]output-stream.blocking-flush":                  outputBlockingFlush,
					"[method]output-stream.subscribe":                       outputSubscribe,
					"[method]output-stream.write-zeroes":                    outputWriteZeroes,
					"[method]output-stream.blocking-write-zeroes-and-flush": outputBlockingWriteZeroesAndFlush,
					"[method]output-stream.splice":                          outputSplice,
					"[method]output-stream.blocking-splice":                 outputBlockingSplice,
				},
				Drop: map[string]func(any){
					"input-stream":  func(r any) { r.(*input).drop() },
					"output-stream": func(r any) { r.(*output).drop() },
				},
			},
		},
	}
}

// fatal is an error that ends the guest, other than one that it is told of.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

func trap(reason string) error { return fatal{&abi.Trap{Reason: reason}} }

// result makes what a function of streams returns: a result<T, stream-error>, or the end of the guest.
func result(v component.Value, err error) (component.Value, error) {
	if err == nil {
		return abi.OK(v), nil
	}
	if f, ok := err.(fatal); ok {
		return component.Value{}, f.error
	}
	return abi.Err(streamError(err)), nil
}
