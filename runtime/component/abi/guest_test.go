package abi

import (
	"errors"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

var errOutOfMemory = errors.New("out of memory")

// guest is a core instance with a memory and a realloc that only ever moves on, in a component instance.
type guest struct {
	ComponentInstance
	encoding Encoding
	memory   []byte
	end      uint32
	calls    [][4]uint32 // of realloc
}

func newGuest(id int, encoding Encoding, memory int) *guest {
	g := &guest{encoding: encoding, memory: make([]byte, memory), end: 8}
	g.Init(id, nil)
	return g
}

func (g *guest) Memory() []byte { return g.memory }

func (g *guest) Realloc(old, oldSize, align, size uint32) (uint32, error) {
	g.calls = append(g.calls, [4]uint32{old, oldSize, align, size})
	ptr := alignTo(uint64(g.end), align)
	if ptr+uint64(size) > uint64(len(g.memory)) {
		return 0, errOutOfMemory
	}
	copy(g.memory[ptr:], g.memory[old:old+min(oldSize, size)])
	g.end = uint32(ptr) + size
	return uint32(ptr), nil
}

func (g *guest) options() Options { return Options{Encoding: g.encoding} }

// coreFunc is a core function in Go.
type coreFunc func(stack []uint64) error

func (f coreFunc) Call(stack []uint64) error { return f(stack) }

// hostFunc is a function of the host.
type hostFunc func(args []Value) (Value, error)

func (f hostFunc) Invoke(c Caller) error {
	args, err := c.Start()
	if err != nil {
		return err
	}
	result, err := f(args)
	if err != nil {
		return err
	}
	return c.Resolve(result)
}

// hostCall is a call by the host.
type hostCall struct {
	from   *ComponentInstance
	args   []Value
	result Value
}

func (c *hostCall) Instance() *ComponentInstance { return c.from }

func (c *hostCall) Start() ([]Value, error) { return c.args, nil }

func (c *hostCall) Resolve(v Value) error {
	c.result = v
	return nil
}

// function makes a function type of parameters p0, p1 and so on.
func function(result *types.Type, params ...*types.Type) *types.Func {
	f := &types.Func{Result: result}
	for i, p := range params {
		f.Params = append(f.Params, types.Field{Name: "p" + string(rune('0'+i%10)), Type: p})
	}
	return f
}

func mustFunc(f *types.Func) *FuncType {
	ft, err := NewFuncType(f)
	if err != nil {
		panic(err)
	}
	return ft
}

func prim(k types.Kind) *types.Type { return types.Primitives[k] }

func listOf(e *types.Type) *types.Type { return &types.Type{Kind: types.List, Elem: e} }

func fixed(e *types.Type, n uint32) *types.Type {
	return &types.Type{Kind: types.List, Elem: e, Length: n}
}

func fields(of []*types.Type) []types.Field {
	fs := make([]types.Field, len(of))
	for i, t := range of {
		fs[i] = types.Field{Name: "f" + string(rune('a'+i%26)), Type: t}
	}
	return fs
}

func recordOf(of ...*types.Type) *types.Type {
	return &types.Type{Kind: types.Record, Fields: fields(of)}
}

func tupleOf(of ...*types.Type) *types.Type {
	return &types.Type{Kind: types.Tuple, Fields: fields(of)}
}

func variantOf(of ...*types.Type) *types.Type {
	return &types.Type{Kind: types.Variant, Cases: fields(of)}
}

func optionOf(t *types.Type) *types.Type { return &types.Type{Kind: types.Option, Elem: t} }

func resultOf(ok, err *types.Type) *types.Type {
	return &types.Type{Kind: types.Result, OK: ok, Err: err}
}

func enumOf(n int) *types.Type { return &types.Type{Kind: types.Enum, Labels: make([]string, n)} }

func flagsOf(n int) *types.Type { return &types.Type{Kind: types.Flags, Labels: make([]string, n)} }

func own(r *types.Resource) *types.Type { return &types.Type{Kind: types.Own, Resource: r} }

func borrow(r *types.Resource) *types.Type { return &types.Type{Kind: types.Borrow, Resource: r} }
