package validate_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/validate"
)

// FuzzValidate: every component is valid or is an error that says where; and each valid one is a subtype of itself.
func FuzzValidate(f *testing.F) {
	files, _ := filepath.Glob("../binary/testdata/*.wasm")
	for _, file := range files {
		wasm, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wasm)
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		b, err := binary.Decode(wasm)
		if err != nil {
			return
		}
		c, err := validate.Validate(b)
		if err != nil {
			var e *validate.Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(wasm) || e.Reason == "" {
				t.Errorf("%v", err)
			}
			return
		}
		self := types.Extern{Sort: types.SortComponent, Component: c}
		if err := validate.Subtype(self, self, validate.Binding{}); err != nil {
			t.Errorf("it is not a subtype of itself: %v", err)
		}
	})
}
