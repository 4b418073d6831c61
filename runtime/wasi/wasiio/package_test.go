package wasiio

import (
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

func TestThePackageFitsItsDeclarations(t *testing.T) {
	if _, err := component.NewHost(Package()); err != nil {
		t.Error(err)
	}
}

// TestFunctions calls what does not wait as a guest does, through its values.
func TestFunctions(t *testing.T) {
	call := func(name string, args ...component.Value) component.Value {
		t.Helper()
		for _, i := range Package().Interfaces {
			if f := i.Funcs[name]; f != nil {
				v, err := f(nil, args)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				return v
			}
		}
		t.Fatalf("there is no %s", name)
		return component.Value{}
	}
	good := func(v component.Value) component.Value {
		t.Helper()
		p, ok := v.OK()
		if !ok {
			t.Fatalf("stream-error %d", p.Case())
		}
		return p
	}
	p := newPipe()
	in, out := NewInput(FromBytes([]byte("abcdef"))), NewOutput(p)

	if b := good(call("[method]input-stream.read", in, abi.U64(2))).Bytes(); string(b) != "ab" {
		t.Errorf("read %q", b)
	}
	if n := good(call("[method]input-stream.skip", in, abi.U64(1))).U64(); n != 1 {
		t.Errorf("skipped %d", n)
	}
	if n := good(call("[method]output-stream.check-write", out)).U64(); n != pipeCapacity {
		t.Errorf("check-write: %d", n)
	}
	good(call("[method]output-stream.write", out, abi.Bytes([]byte("1"))))
	good(call("[method]output-stream.write-zeroes", out, abi.U64(1)))
	if n := good(call("[method]output-stream.splice", out, in, abi.U64(2))).U64(); n != 2 {
		t.Errorf("spliced %d", n)
	}
	pollable := call("[method]output-stream.subscribe", out)
	if !call("[method]pollable.ready", pollable).Bool() {
		t.Error("the output is not ready")
	}
	good(call("[method]output-stream.flush", out))
	if call("[method]pollable.ready", pollable).Bool() {
		t.Error("the output is ready while it is being flushed")
	}
	if !call("[method]pollable.ready", call("[method]input-stream.subscribe", in)).Bool() {
		t.Error("the input is not ready")
	}
	drops := Package().Interfaces["streams"].Drop
	drops["output-stream"](out.Resource())
	drops["input-stream"](in.Resource())
	if b, err := io.ReadAll(p); string(b) != "1\x00de" || err != nil {
		t.Errorf("written: %q, %v", b, err)
	}
	if !call("[method]pollable.ready", pollable).Bool() {
		t.Error("the pollable of what was dropped is not ready")
	}

	failing := &input{stream: FromReader(iotest.ErrReader(errors.New("disk on fire")), nil)}
	defer failing.drop()
	if err := block(newGuest(t), failing); err != nil {
		t.Fatal(err)
	}
	e, ok := call("[method]input-stream.read", abi.Resource(failing), abi.U64(1)).OK()
	if ok || e.Case() != lastOperationFailed || call("[method]error.to-debug-string", e.Payload()).String() != "disk on fire" {
		t.Errorf("an error is told as %d", e.Case())
	}
	e, ok = call("[method]input-stream.read", abi.Resource(failing), abi.U64(1)).OK()
	if ok || e.Case() != closed {
		t.Errorf("and then as %d", e.Case())
	}
}
