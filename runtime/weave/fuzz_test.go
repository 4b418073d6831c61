package weave_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// FuzzWeave: no module brings the weaving down, and the engine takes a woven module exactly when it takes the original.
func FuzzWeave(f *testing.F) {
	for _, name := range guests.Names() {
		if wasm := guests.Wasm(name); len(wasm) < 8<<10 {
			f.Add(wasm)
		}
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if problem := disagreement(wasm); problem != "" {
			t.Error(problem)
		}
	})
}

// TestEveryChangeOfAByteIsJudgedAsTheEngineJudgesIt changes modules a byte at a time.
func TestEveryChangeOfAByteIsJudgedAsTheEngineJudgesIt(t *testing.T) {
	for _, guest := range []string{"hello", "residue", "residue-table"} {
		wasm := guests.Wasm(guest)
		for at, was := range wasm {
			for _, b := range []byte{was - 1, was + 1, was ^ 0x40, was ^ 0x80, 0x00, 0x01, 0x7f, 0xff} {
				wasm[at] = b
				if problem := disagreement(wasm); problem != "" {
					t.Errorf("%s with byte %#x changed from %#02x to %#02x: %s", guest, at, was, b, problem)
				}
			}
			wasm[at] = was
		}
	}
}

// disagreement weaves a module and says what is wrong with the outcome. Modules that are not taken apart are fine: they are refused.
func disagreement(wasm []byte) string {
	m, err := weave.Read(wasm)
	if err != nil {
		return ""
	}
	woven, err := m.Weave()
	if err != nil {
		return ""
	}
	before, after := compile(wasm), compile(woven)
	if before == nil && after != nil {
		return fmt.Sprintf("a good module is bad when woven: %v", after)
	}
	// What is wrong with names or debug information is gone with them.
	if before != nil && after == nil && !strings.Contains(before.Error(), "custom") {
		return fmt.Sprintf("a bad module is good when woven: %v", before)
	}
	return ""
}

// validator takes apart and validates; that it would interpret does not matter here.
var validator = sync.OnceValue(func() wazero.Runtime {
	return wazero.NewRuntimeWithConfig(context.Background(), wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
})

func compile(wasm []byte) error {
	m, err := validator().CompileModule(context.Background(), wasm)
	if err == nil {
		m.Close(context.Background())
	}
	return err
}
