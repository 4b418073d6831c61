package instance

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	errnoSuccess = 0
	errnoFault   = 21
)

// exportEnviron replaces the two functions by which a guest reads its environment. wazero's take it from a configuration that is
// copied whole for every variable that is added to it; a CGI request has some thirty.
func exportEnviron(b wazero.HostModuleBuilder) {
	i32 := api.ValueTypeI32
	for name, f := range map[string]api.GoModuleFunc{"environ_get": environGet, "environ_sizes_get": environSizesGet} {
		b.NewFunctionBuilder().
			WithGoModuleFunction(f, []api.ValueType{i32, i32}, []api.ValueType{i32}).
			WithName(name).Export(name)
	}
}

func environSizesGet(ctx context.Context, m api.Module, stack []uint64) {
	env := instanceOf(ctx).env
	size := 0
	for _, kv := range env {
		size += len(kv) + 1
	}
	mem := m.Memory()
	if !mem.WriteUint32Le(uint32(stack[0]), uint32(len(env))) || !mem.WriteUint32Le(uint32(stack[1]), uint32(size)) {
		stack[0] = errnoFault
		return
	}
	stack[0] = errnoSuccess
}

func environGet(ctx context.Context, m api.Module, stack []uint64) {
	env := instanceOf(ctx).env
	size := 0
	for _, kv := range env {
		size += len(kv) + 1
	}
	at := uint32(stack[1])
	pointers, ok := m.Memory().Read(uint32(stack[0]), uint32(4*len(env)))
	text, ok2 := m.Memory().Read(at, uint32(size))
	if !ok || !ok2 {
		stack[0] = errnoFault
		return
	}
	for i, kv := range env {
		binary.LittleEndian.PutUint32(pointers[4*i:], at)
		n := copy(text, kv)
		text[n] = 0
		text = text[n+1:]
		at += uint32(n + 1)
	}
	stack[0] = errnoSuccess
}
