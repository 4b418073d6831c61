package abi

import (
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

func TestLayout(t *testing.T) {
	u8, u16, u32, u64 := prim(types.U8), prim(types.U16), prim(types.U32), prim(types.U64)
	f32, f64, str := prim(types.F32), prim(types.F64), prim(types.String)
	rt := &types.Resource{}
	for _, c := range []struct {
		name        string
		typ         *types.Type
		size, align uint32
		flat        string // i, l, f and d for the core types; more than 16 are not passed flat
	}{
		{"bool", prim(types.Bool), 1, 1, "i"},
		{"s8", prim(types.S8), 1, 1, "i"},
		{"u8", u8, 1, 1, "i"},
		{"s16", prim(types.S16), 2, 2, "i"},
		{"u16", u16, 2, 2, "i"},
		{"s32", prim(types.S32), 4, 4, "i"},
		{"u32", u32, 4, 4, "i"},
		{"s64", prim(types.S64), 8, 8, "l"},
		{"u64", u64, 8, 8, "l"},
		{"f32", f32, 4, 4, "f"},
		{"f64", f64, 8, 8, "d"},
		{"char", prim(types.Char), 4, 4, "i"},
		{"string", str, 8, 4, "ii"},
		{"own", own(rt), 4, 4, "i"},
		{"borrow", borrow(rt), 4, 4, "i"},
		{"list", listOf(u64), 8, 4, "ii"},
		{"list of fixed length", fixed(u16, 3), 6, 2, "iii"},
		{"long list of fixed length", fixed(u16, 17), 34, 2, "-"},
		{"huge list of fixed length", fixed(u16, 1<<27-1), 1<<28 - 2, 2, "-"},
		{"record", recordOf(u8, u64, u8), 24, 8, "ili"},
		{"tuple", tupleOf(u8, u16, u8), 6, 2, "iii"},
		{"record of seventeen", recordOf(slices.Repeat([]*types.Type{u8}, 17)...), 17, 1, "-"},
		{"variant without payloads", variantOf(nil, nil), 1, 1, "i"},
		{"variant of u8 and u64", variantOf(u8, u64), 16, 8, "il"},
		{"variant of f32 and u32", variantOf(f32, u32), 8, 4, "ii"},
		{"variant of f32 and f64", variantOf(f32, f64), 16, 8, "il"},
		{"variant of f32 and f32", variantOf(f32, nil, f32), 8, 4, "if"},
		{"variant of tuples", variantOf(tupleOf(f32, u64), tupleOf(u32, f64, u8)), 32, 8, "iili"},
		{"variant of a long case", variantOf(u8, fixed(u8, 16)), 17, 1, "-"},
		{"option", optionOf(str), 12, 4, "iii"},
		{"result", resultOf(nil, str), 12, 4, "iii"},
		{"result of nothing", resultOf(nil, nil), 1, 1, "i"},
		{"enum of 256", enumOf(256), 1, 1, "i"},
		{"enum of 257", enumOf(257), 2, 2, "i"},
		{"enum of 65536", enumOf(65536), 2, 2, "i"},
		{"enum of 65537", enumOf(65537), 4, 4, "i"},
		{"flags of 8", flagsOf(8), 1, 1, "i"},
		{"flags of 9", flagsOf(9), 2, 2, "i"},
		{"flags of 32", flagsOf(32), 4, 4, "i"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := layouts{}.of(c.typ, 0)
			if err != nil {
				t.Fatal(err)
			}
			flat := "-"
			if l.flats <= MaxFlatParams {
				flat = letters(l.flat)
			}
			if l.size != c.size || l.align != c.align || flat != c.flat {
				t.Errorf("size %d, alignment %d, flat %s", l.size, l.align, flat)
			}
		})
	}
}

func letters(flat []byte) string {
	s := ""
	for _, b := range flat {
		s += string("ilfd"[CoreI32-b])
	}
	return s
}

func TestFlattenFunctionType(t *testing.T) {
	u8, u32, f64, str := prim(types.U8), prim(types.U32), prim(types.F64), prim(types.String)
	sixteen := slices.Repeat([]*types.Type{u8}, 16)
	for _, c := range []struct {
		name        string
		f           *types.Func
		lift, lower string
	}{
		{"nothing", function(nil), " -> ", " -> "},
		{"scalars", function(f64, u8, f64), "id -> d", "id -> d"},
		{"a result that goes through memory", function(str, u32), "i -> i", "ii -> "},
		{"sixteen parameters", function(nil, sixteen...), strings.Repeat("i", 16) + " -> ", strings.Repeat("i", 16) + " -> "},
		{"sixteen and a result in memory", function(str, sixteen...), strings.Repeat("i", 16) + " -> i", strings.Repeat("i", 17) + " -> "},
		{"seventeen parameters", function(nil, append(sixteen, u8)...), "i -> ", "i -> "},
		{"seventeen and a result in memory", function(str, append(sixteen, u8)...), "i -> i", "ii -> "},
		{"a record of one field as result", function(recordOf(recordOf(f64))), " -> d", " -> d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ft := mustFunc(c.f)
			if ft.Type() != c.f {
				t.Error("another type")
			}
			for range 2 { // what is returned may be changed
				p, r := ft.FlattenLift()
				if got := letters(p) + " -> " + letters(r); got != c.lift {
					t.Errorf("lift %s", got)
				}
				clear(p)
				p, r = ft.FlattenLower()
				if got := letters(p) + " -> " + letters(r); got != c.lower {
					t.Errorf("lower %s", got)
				}
				clear(r)
			}
		})
	}
}

func TestTypesThatAreTooLarge(t *testing.T) {
	deep := prim(types.U8)
	for range maxTypeDepth + 2 {
		deep = optionOf(deep)
	}
	doubled := prim(types.U64) // few types, and each has two of the one before
	for range 60 {
		doubled = tupleOf(doubled, doubled)
	}
	for _, c := range []struct {
		name string
		typ  *types.Type
		want string
	}{
		{"a list of fixed length", fixed(prim(types.U64), 1<<25), "a value of 268435456 bytes"},
		{"a list of lists of fixed length", fixed(fixed(prim(types.U8), 1<<20), 1<<20), "a value of"},
		{"tuples in tuples", doubled, "a value of"},
		{"types in types", deep, "types in types more than"},
		{"too many flags", flagsOf(33), "flags with 33 labels"},
		{"no flags", flagsOf(0), "flags with 0 labels"},
		{"no cases", variantOf(), "without cases"},
		{"a list of nothing", listOf(nil), "a list of nothing"},
		{"an option of nothing", optionOf(nil), "an option of nothing"},
		{"a field of nothing", recordOf(nil), "has no type"},
		{"a handle of nothing", own(nil), "a handle of no resource"},
		{"an unknown type", &types.Type{Kind: 99}, "unknown kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range []*types.Func{function(nil, c.typ), function(c.typ)} {
				if _, err := NewFuncType(f); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
			}
		})
	}
}
