package wasmgen_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/internal/wasmgen"
)

func seed(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }

func validator(t testing.TB) func(wasm []byte) error {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesExtendedConst))
	t.Cleanup(func() { r.Close(ctx) })
	return func(wasm []byte) error {
		c, err := r.CompileModule(ctx, wasm)
		if err != nil {
			return err
		}
		return c.Close(ctx)
	}
}

func TestWhatIsMadeIsValid(t *testing.T) {
	validate := validator(t)
	for n := range 500 {
		g := wasmgen.Generate(seed(n))
		for k, m := range g.Modules {
			if err := validate(m.Wasm); err != nil {
				t.Errorf("module %d of seed %d: %v", k, n, err)
			}
		}
		if err := validate(wasmgen.Command(seed(n)).Wasm); err != nil {
			t.Errorf("the command of seed %d: %v", n, err)
		}
	}
}

func TestASeedMakesTheSameAlways(t *testing.T) {
	for n := range 50 {
		a, b := wasmgen.Generate(seed(n)), wasmgen.Generate(seed(n))
		for k := range a.Modules {
			if !bytes.Equal(a.Modules[k].Wasm, b.Modules[k].Wasm) {
				t.Errorf("module %d of seed %d differs", k, n)
			}
		}
	}
}

func FuzzGenerate(f *testing.F) {
	f.Add([]byte{})
	f.Add(seed(1))
	f.Fuzz(func(t *testing.T, seed []byte) {
		validate := validator(t)
		for k, m := range wasmgen.Generate(seed).Modules {
			if err := validate(m.Wasm); err != nil {
				t.Errorf("module %d: %v", k, err)
			}
		}
	})
}
