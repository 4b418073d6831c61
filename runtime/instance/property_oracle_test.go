package instance

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/internal/wasmgen"
)

// oracle runs modules as they are, with the engine alone: each instance is made anew, of the module that was generated.
type oracle struct {
	engine   wazero.Runtime
	group    *wasmgen.Group
	compiled []wazero.CompiledModule
}

// newOracle compiles, or interprets: the engine is two.
func newOracle(t testing.TB, g *wasmgen.Group, interpret bool, memory uint64) *oracle {
	t.Helper()
	ctx := context.Background()
	config := wazero.NewRuntimeConfigCompiler()
	if interpret {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	o := &oracle{group: g, engine: wazero.NewRuntimeWithConfig(ctx, config.WithMemoryLimitPages(uint32(memory/pageSize)).
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesExtendedConst))}
	b := o.engine.NewHostModuleBuilder(wasmgen.HostModule)
	for k, f := range g.Host {
		b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
			if err := ctx.Value(randomHostKey{}).(*randomHost).call(k, f, stack); err != nil {
				panic(err)
			}
		}), f.Params, f.Results).Export(strconv.Itoa(k))
	}
	if _, err := b.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	for k := range g.Modules {
		c, err := o.engine.CompileModule(ctx, g.Modules[k].Wasm)
		if err != nil {
			t.Fatal(err)
		}
		o.compiled = append(o.compiled, c)
	}
	return o
}

func (o *oracle) close() { o.engine.Close(context.Background()) }

type oracleInstance struct {
	ctx   context.Context
	parts []api.Module
}

func (o *oracle) begin(h *randomHost) (fresh, string) {
	i := &oracleInstance{ctx: context.WithValue(context.Background(), randomHostKey{}, h)}
	for k, c := range o.compiled {
		m, err := o.engine.InstantiateModule(i.ctx, c, wazero.NewModuleConfig().WithName(wasmgen.PartName(k)).WithStartFunctions())
		if err != nil {
			i.end()
			return nil, oracleReason(err)
		}
		i.parts = append(i.parts, m)
	}
	return i, ""
}

// oracleReason is how the engine's error reads when it is one of ours.
func oracleReason(err error) string {
	if errors.Is(err, errRandomHost) {
		return errRandomHost.Error()
	}
	text := err.Error()
	if _, after, ok := strings.Cut(text, "wasm error: "); ok {
		text = after
	}
	if strings.HasSuffix(text, "out of bounds memory access") {
		return "out of bounds memory access"
	}
	reason, _ := splitTrap(text)
	return reason
}

func (i *oracleInstance) call(_ context.Context, part int, e *wasmgen.Export, stack []uint64) string {
	if err := i.parts[part].ExportedFunction(e.Name).CallWithStack(i.ctx, stack); err != nil {
		return oracleReason(err)
	}
	return results(e.Type.Results, stack)
}

func (i *oracleInstance) memory(part int) []byte {
	m := i.parts[part].Memory()
	b, _ := m.Read(0, m.Size())
	return b
}

func (i *oracleInstance) end() {
	for k := len(i.parts) - 1; k >= 0; k-- {
		i.parts[k].Close(i.ctx)
	}
}
