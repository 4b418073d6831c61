package abi

import (
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// benchmarkLower asks what a call of a host function costs on top of the function.
func benchmarkLower(b *testing.B, f *types.Func, result Value, prepare func(g *guest) []uint64) {
	g := newGuest(1, UTF8, 1<<16)
	params := prepare(g)
	ft := mustFunc(f)
	var host FuncInst = hostFunc(func([]Value) (Value, error) { return result, nil })
	stack := make([]uint64, len(params)+1)
	end := g.end
	b.ReportAllocs()
	for b.Loop() {
		g.end, g.calls = end, g.calls[:0]
		copy(stack, params)
		if err := CanonLower(ft, g.options(), g, &g.ComponentInstance, host, stack); err != nil {
			b.Fatal(err)
		}
	}
}

func flatParams(params ...uint64) func(*guest) []uint64 {
	return func(*guest) []uint64 { return params }
}

func BenchmarkLowerScalars(b *testing.B) {
	u32 := prim(types.U32)
	benchmarkLower(b, function(u32, u32, prim(types.U64), prim(types.F64)), U32(1), flatParams(1, 2, 3))
}

func BenchmarkLowerString(b *testing.B) {
	benchmarkLower(b, function(nil, prim(types.String)), Value{}, func(g *guest) []uint64 {
		copy(g.memory[1024:], "/etc/resolv.conf")
		return []uint64{1024, 16}
	})
}

func BenchmarkLowerStringResult(b *testing.B) {
	benchmarkLower(b, function(prim(types.String)), String("/etc/resolv.conf"), flatParams(256))
}

func BenchmarkLowerBytes4K(b *testing.B) {
	b.SetBytes(4096)
	benchmarkLower(b, function(nil, listOf(prim(types.U8))), Value{}, flatParams(1024, 4096))
}

func BenchmarkLowerBytes4KResult(b *testing.B) {
	b.SetBytes(4096)
	benchmarkLower(b, function(listOf(prim(types.U8))), Bytes(make([]byte, 4096)), flatParams(256))
}

// A record that fits no core value, and a result with a payload: such as the stat of a file.
func BenchmarkLowerRecord(b *testing.B) {
	time := recordOf(prim(types.U64), prim(types.U32))
	stat := recordOf(enumOf(8), prim(types.U64), prim(types.U64), optionOf(time), optionOf(time), optionOf(time))
	at := Some(Record(U64(1), U32(2)))
	result := OK(Record(Enum(3), U64(1), U64(2), at, at, at))
	benchmarkLower(b, function(resultOf(stat, enumOf(37)), stat), result, func(g *guest) []uint64 {
		ft := mustFunc(function(nil, stat))
		task := g.newTask(g.options(), g)
		if err := task.lowerParams(ft, []Value{result.Payload()}, task.stack[:]); err != nil {
			b.Fatal(err)
		}
		return append(append([]uint64(nil), task.stack[:ft.coreParams()]...), 4096)
	})
}

// Header fields: a list of tuples of a string and bytes.
func BenchmarkLowerHeaders(b *testing.B) {
	headers := listOf(tupleOf(prim(types.String), listOf(prim(types.U8))))
	var vs []Value
	for range 16 {
		vs = append(vs, Tuple(String("accept-encoding"), Bytes([]byte("gzip, deflate, br"))))
	}
	benchmarkLower(b, function(headers, headers), List(vs...), func(g *guest) []uint64 {
		task := g.newTask(g.options(), g)
		if err := task.lowerParams(mustFunc(function(nil, headers)), []Value{List(vs...)}, task.stack[:]); err != nil {
			b.Fatal(err)
		}
		return []uint64{task.stack[0], task.stack[1], 4096}
	})
}

// A method: its resource is borrowed for the call.
func BenchmarkLowerBorrow(b *testing.B) {
	rt := &types.Resource{Name: "stream"}
	benchmarkLower(b, function(prim(types.U64), borrow(rt)), U64(1), func(g *guest) []uint64 {
		i, err := g.handles.add(ResourceHandle{rt: rt, rep: Resource(g), own: true})
		if err != nil {
			b.Fatal(err)
		}
		return []uint64{uint64(i)}
	})
}

func BenchmarkLowerNumbers(b *testing.B) {
	b.SetBytes(4096)
	benchmarkLower(b, function(nil, listOf(prim(types.U32))), Value{}, flatParams(1024, 1024))
}

// BenchmarkLift asks what a call of a guest's function costs on top of the function.
func BenchmarkLift(b *testing.B) {
	g := newGuest(1, UTF8, 1<<16)
	ft := mustFunc(function(prim(types.U32), prim(types.U32)))
	var callee CoreFunc = coreFunc(func([]uint64) error { return nil })
	c := &hostCall{args: []Value{U32(1)}}
	b.ReportAllocs()
	for b.Loop() {
		if err := CanonLift(ft, g.options(), g, &g.ComponentInstance, callee, nil, c); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewFuncType asks what making a type ready costs, once for each function when a component is loaded.
func BenchmarkNewFuncType(b *testing.B) {
	f := function(resultOf(listOf(recordOf(prim(types.String), optionOf(prim(types.U64)))), enumOf(37)), prim(types.String), prim(types.U32))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewFuncType(f); err != nil {
			b.Fatal(err)
		}
	}
}
