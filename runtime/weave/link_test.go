package weave_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

func testdata(t *testing.T, name string) []byte {
	t.Helper()
	wasm, err := os.ReadFile("testdata/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// TestWovenModulesDoTheSameToAMemoryTheyImport fills and copies at random, within the memory, over its end and over itself.
func TestWovenModulesDoTheSameToAMemoryTheyImport(t *testing.T) {
	var all []*world
	for how := range worlds {
		w := newWorld(t, weaving(how))
		if _, err := w.instantiate(testdata(t, "memory-owner"), "owner"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.instantiate(testdata(t, "memory-user"), "user"); err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		export := []string{"fill", "copy", "copy", "init", "grow"}[random.IntN(5)]
		at := uint64(random.IntN(70_000))
		args := []uint64{at, at + uint64(random.IntN(64)) - 32, uint64(random.IntN(5_000))}
		if export == "init" { // the segment has 17 bytes
			args[1], args[2] = uint64(random.IntN(3)), uint64(random.IntN(20))
		}
		if random.IntN(20) == 0 {
			args[2] = uint64(random.Uint32())
		}
		args[1] &= 0xffffffff
		var results [len(worlds)]string
		for k, w := range all {
			_, err := w.engine.Module("user").ExportedFunction(export).Call(context.Background(), args...)
			memory := w.engine.Module("owner").Memory()
			all, _ := memory.Read(0, memory.Size())
			results[k] = fmt.Sprintf("%s, %d bytes, checksum %x", outcome(err), len(all), crc32.ChecksumIEEE(all))
		}
		for how, got := range results {
			if got != results[asItIs] {
				t.Fatalf("%s%v: %s as it is, %s %s", export, args, results[asItIs], got, worlds[how])
			}
		}
	}
	for _, how := range []weaving{wovenFinely, wovenTickFinely} {
		if n := all[how].yields; n < 1000 {
			t.Errorf("it yields %d times when it is %s", n, worlds[how])
		}
	}
}

func TestImportsAndExportsHaveTheirTypes(t *testing.T) {
	m, err := weave.Read(module(
		"\x01\x01\x60\x02\x7f\x7e\x01\x7d",
		"\x02\x04"+"\x01m\x01f\x00\x00"+"\x01m\x01t\x01\x6f\x01\x02\x05"+"\x01m\x01m\x02\x05\x01\x80\x80\x04"+"\x01m\x01g\x03\x7c\x01",
		"\x04\x01\x70\x00\x03",
		"\x06\x01\x7f\x00\x41\x00\x0b",
		"\x07\x06"+"\x01f\x00\x00"+"\x01t\x01\x00"+"\x01u\x01\x01"+"\x01m\x02\x00"+"\x01g\x03\x00"+"\x01h\x03\x01",
	))
	if err != nil {
		t.Fatal(err)
	}
	f := weave.Extern{Kind: weave.Function, Type: &weave.Type{Params: []byte{0x7f, 0x7e}, Results: []byte{0x7d}}}
	table := weave.Extern{Kind: weave.Table, Table: weave.TableType{Element: 0x6f, Limits: weave.Limits{Min: 2, Max: 5, HasMax: true}}}
	memory := weave.Extern{Kind: weave.Memory, Memory: weave.Limits{Min: 1, Max: 1 << 16, HasMax: true, Is64: true}}
	global := weave.Extern{Kind: weave.Global, Global: weave.GlobalType{Type: 0x7c, Mutable: true}}
	var imports []weave.Extern
	for _, im := range m.Imports {
		imports = append(imports, im.Extern)
	}
	if want := []weave.Extern{f, table, memory, global}; !reflect.DeepEqual(imports, want) {
		t.Errorf("imports %+v, want %+v", imports, want)
	}
	want := []weave.Export{
		{Name: "f", Extern: f},
		{Name: "t", Extern: table},
		{Name: "u", Index: 1, Extern: weave.Extern{Kind: weave.Table, Table: weave.TableType{Element: 0x70, Limits: weave.Limits{Min: 3}}}},
		{Name: "m", Extern: memory},
		{Name: "g", Extern: global},
		{Name: "h", Index: 1, Extern: weave.Extern{Kind: weave.Global, Global: weave.GlobalType{Type: 0x7f}}},
	}
	if got := m.Exports(); !reflect.DeepEqual(got, want) {
		t.Errorf("exports %+v, want %+v", got, want)
	}
	if _, err := m.Weave(); err == nil {
		t.Error("a memory of 64 bits is woven")
	}
}

func TestWhatProvidesWhat(t *testing.T) {
	limits := func(min, max uint64) weave.Limits { return weave.Limits{Min: min, Max: max, HasMax: max > 0} }
	memory := func(l weave.Limits) *weave.Extern { return &weave.Extern{Kind: weave.Memory, Memory: l} }
	table := func(l weave.Limits, element byte) *weave.Extern {
		return &weave.Extern{Kind: weave.Table, Table: weave.TableType{Element: element, Limits: l}}
	}
	function := func(params, results string) *weave.Extern {
		return &weave.Extern{Kind: weave.Function, Type: &weave.Type{Params: []byte(params), Results: []byte(results)}}
	}
	global := func(t byte, mutable bool) *weave.Extern {
		return &weave.Extern{Kind: weave.Global, Global: weave.GlobalType{Type: t, Mutable: mutable}}
	}
	for _, c := range []struct {
		name       string
		have, want *weave.Extern
		fits       bool
	}{
		{"a function of the same type", function("\x7f", "\x7e"), function("\x7f", "\x7e"), true},
		{"a function with other results", function("\x7f", "\x7e"), function("\x7f", "\x7f"), false},
		{"a function with a result that was a parameter", function("\x7f", ""), function("", "\x7f"), false},
		{"a memory for a function", memory(limits(1, 0)), function("", ""), false},
		{"a larger memory", memory(limits(2, 0)), memory(limits(1, 0)), true},
		{"a smaller memory", memory(limits(1, 0)), memory(limits(2, 0)), false},
		{"a memory without a maximum", memory(limits(2, 0)), memory(limits(2, 3)), false},
		{"a memory that can become too large", memory(limits(2, 4)), memory(limits(2, 3)), false},
		{"a memory within its maximum", memory(limits(2, 3)), memory(limits(1, 3)), true},
		{"a shared memory", memory(weave.Limits{Min: 1, Shared: true}), memory(limits(1, 0)), false},
		{"a memory of 64 bits", memory(weave.Limits{Min: 1, Is64: true}), memory(limits(1, 0)), false},
		{"a table of the same elements", table(limits(1, 1), 0x70), table(limits(1, 0), 0x70), true},
		{"a table of other elements", table(limits(1, 1), 0x70), table(limits(1, 0), 0x6f), false},
		{"a table that is too small", table(limits(1, 1), 0x70), table(limits(2, 0), 0x70), false},
		{"a global of the same type", global(0x7f, true), global(0x7f, true), true},
		{"a global that can be changed for one that cannot", global(0x7f, true), global(0x7f, false), false},
		{"a global of another type", global(0x7f, false), global(0x7e, false), false},
	} {
		if problem := c.have.Provides(c.want); (problem == "") != c.fits {
			t.Errorf("%s: %q", c.name, problem)
		}
	}
}

func TestLinksAreForAllImports(t *testing.T) {
	m, err := weave.Read(testdata(t, "memory-user"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Relink(nil); err == nil {
		t.Error("no link for an import")
	}
	if err := m.Relink([]weave.Link{{Module: "0", Name: "memory"}}); err != nil {
		t.Fatal(err)
	}
	m.Name = "user"
	woven, err := m.Weave()
	if err != nil {
		t.Fatal(err)
	}
	again, err := weave.Read(woven)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Imports) != 2 || again.Imports[0].Module != "0" || again.Imports[1].Module != weave.YieldModule {
		t.Errorf("imports %+v", again.Imports)
	}
}
