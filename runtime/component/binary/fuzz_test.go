package binary_test

import (
	"errors"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
)

// FuzzDecode: every file is taken apart or is an error that says where.
func FuzzDecode(f *testing.F) {
	for _, wasm := range samples(f) {
		f.Add(wasm)
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		c, err := binary.Decode(wasm)
		var e *binary.Error
		switch {
		case err == nil && c == nil:
			t.Error("nothing")
		case err != nil && !errors.As(err, &e):
			t.Errorf("an error of another type: %v", err)
		case err != nil && (e.Offset < 0 || e.Offset > len(wasm) || e.Reason == ""):
			t.Errorf("offset %d of %d: %v", e.Offset, len(wasm), err)
		}
	})
}
