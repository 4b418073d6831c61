package abi

import (
	"math"
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

const garbage = 0xdeadbeef00000000 // above an i32 or f32 on the stack

func TestLiftFlat(t *testing.T) {
	u8, u32, u64, f32, f64 := prim(types.U8), prim(types.U32), prim(types.U64), prim(types.F32), prim(types.F64)
	nan32, nan64 := Value{bits: canonicalNaN32}, Value{bits: canonicalNaN64}
	joined := variantOf(f32, u64, u32, f64, nil)
	for _, c := range []struct {
		name string
		typ  *types.Type
		flat []uint64
		want Value
	}{
		{"bool", prim(types.Bool), []uint64{0}, Bool(false)},
		{"bool, any number", prim(types.Bool), []uint64{2}, Bool(true)},
		{"bool, its upper half", prim(types.Bool), []uint64{garbage}, Bool(false)},
		{"u8, wrapped", u8, []uint64{0x1ff}, U8(0xff)},
		{"s8", prim(types.S8), []uint64{0x80}, S8(-128)},
		{"u16, wrapped", prim(types.U16), []uint64{0x1ffff}, U16(0xffff)},
		{"s16", prim(types.S16), []uint64{0xffff}, S16(-1)},
		{"u32", u32, []uint64{garbage | 7}, U32(7)},
		{"s32", prim(types.S32), []uint64{0xffffffff}, S32(-1)},
		{"u64", u64, []uint64{1 << 63}, U64(1 << 63)},
		{"s64", prim(types.S64), []uint64{1 << 63}, S64(math.MinInt64)},
		{"f32", f32, []uint64{garbage | uint64(math.Float32bits(1.5))}, F32(1.5)},
		{"f32, a NaN with a payload", f32, []uint64{0xffc12345}, nan32},
		{"f32, a signalling NaN", f32, []uint64{0x7f800001}, nan32},
		{"f32, infinity", f32, []uint64{0xff800000}, F32(float32(math.Inf(-1)))},
		{"f64", f64, []uint64{math.Float64bits(-0.25)}, F64(-0.25)},
		{"f64, a NaN with a payload", f64, []uint64{0xfff8000000000001}, nan64},
		{"f64, a signalling NaN", f64, []uint64{0x7ff0000000000001}, nan64},
		{"char", prim(types.Char), []uint64{0x10ffff}, Char(0x10ffff)},
		{"flags, the bits without a label", flagsOf(3), []uint64{0xff}, Flags(7)},
		{"enum", enumOf(3), []uint64{2}, Enum(2)},
		{"record", recordOf(u8, recordOf(u64, f32)), []uint64{1, 2, 0}, Record(U8(1), Record(U64(2), F32(0)))},
		{"list of fixed length", fixed(tupleOf(u8, u64), 2), []uint64{1, 2, 3, 4}, List(Tuple(U8(1), U64(2)), Tuple(U8(3), U64(4)))},
		{"none", optionOf(u32), []uint64{0, 9}, None()},
		{"some", optionOf(u32), []uint64{1, 9}, Some(U32(9))},
		{"ok without payload", resultOf(nil, u32), []uint64{0, 9}, Value{}},
		{"error", resultOf(nil, u32), []uint64{1, 9}, Err(U32(9))},
		{"an f32 in an i64", joined, []uint64{0, garbage | 0x3fc00000}, Variant(0, F32(1.5))},
		{"a NaN f32 in an i64", joined, []uint64{0, garbage | 0x7fc00001}, Variant(0, nan32)},
		{"a u64 in an i64", joined, []uint64{1, garbage}, Variant(1, U64(garbage))},
		{"a u32 in an i64", joined, []uint64{2, garbage | 5}, Variant(2, U32(5))},
		{"an f64 in an i64", joined, []uint64{3, math.Float64bits(2.5)}, Variant(3, F64(2.5))},
		{"a case without payload", joined, []uint64{4, garbage}, Enum(4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got Value
			_, err := newGuest(1, UTF8, 0).lower(function(nil, c.typ), taker(func(v Value) { got = v }), c.flat...)
			if err != nil || !got.Equal(c.want) {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestLiftTraps(t *testing.T) {
	u32 := prim(types.U32)
	for _, c := range []struct {
		name string
		typ  *types.Type
		flat []uint64
		want string
	}{
		{"a char that is a surrogate", prim(types.Char), []uint64{0xd800}, "invalid char bit pattern 0xd800"},
		{"a char that is the last surrogate", prim(types.Char), []uint64{0xdfff}, "invalid char bit pattern 0xdfff"},
		{"a char that is too large", prim(types.Char), []uint64{0x110000}, "invalid char bit pattern 0x110000"},
		{"a case that does not exist", variantOf(u32, nil), []uint64{2, 0}, "invalid variant discriminant 2: the variant has 2 cases"},
		{"an option that is neither", optionOf(u32), []uint64{0xffffffff, 0}, "invalid variant discriminant 4294967295"},
		{"an enum without such a case", enumOf(3), []uint64{3}, "the enum has 3 cases"},
		{"a case in memory that does not exist", listOf(enumOf(3)), []uint64{250, 2}, "invalid variant discriminant 7"},
		{"an unaligned list", listOf(u32), []uint64{2, 1}, "list: unaligned pointer 0x2: must be a multiple of 4"},
		{"a list beyond memory", listOf(u32), []uint64{252, 2}, "list content out-of-bounds: 0xfc + 8 bytes, and memory has 256"},
		{"no elements beyond memory", listOf(u32), []uint64{260, 0}, "list content out-of-bounds"},
		{"a list longer than any", listOf(u32), []uint64{0, 1 << 26}, "list at 0x0 of 268435456 bytes: too long"},
		{"the longest list", listOf(prim(types.U64)), []uint64{0, 0xffffffff}, "too long"},
		{"bytes beyond memory", listOf(prim(types.U8)), []uint64{255, 2}, "list content out-of-bounds"},
		{"an unknown handle", own(&types.Resource{}), []uint64{1}, "unknown handle index 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(1, UTF8, 256)
			g.memory[251] = 7
			_, err := g.lower(function(nil, c.typ), taker(func(Value) { t.Error("called") }), c.flat...)
			wantTrap(t, err, c.want)
		})
	}
	t.Run("parameters in memory", func(t *testing.T) {
		many := function(nil, slices.Repeat([]*types.Type{u32}, 17)...)
		for ptr, want := range map[uint64]string{2: "parameters: unaligned", 192: "parameters content out-of-bounds"} {
			_, err := newGuest(1, UTF8, 256).lower(many, taker(func(Value) {}), ptr)
			wantTrap(t, err, want)
		}
	})
	t.Run("no memory", func(t *testing.T) {
		_, err := newGuest(1, UTF8, 0).lower(function(nil, prim(types.String)), taker(func(Value) {}), 0, 1)
		wantTrap(t, err, "string content out-of-bounds: 0x0 + 1 bytes, and memory has 0")
	})
}

func TestLowerFlat(t *testing.T) {
	u8, u32, u64, f32, f64 := prim(types.U8), prim(types.U32), prim(types.U64), prim(types.F32), prim(types.F64)
	joined := variantOf(tupleOf(f32, f32), u64, u32, f64, nil)
	nan32 := math.Float32frombits(0xffc12345)
	for _, c := range []struct {
		name string
		typ  *types.Type
		v    Value
		want []uint64
	}{
		{"bool", prim(types.Bool), Bool(true), []uint64{1}},
		{"s8", prim(types.S8), S8(-1), []uint64{0xffffffff}},
		{"s16", prim(types.S16), S16(-2), []uint64{0xfffffffe}},
		{"s32", prim(types.S32), S32(-3), []uint64{0xfffffffd}},
		{"s64", prim(types.S64), S64(-4), []uint64{0xfffffffffffffffc}},
		{"u8", u8, U8(255), []uint64{255}},
		{"f32", f32, F32(1.5), []uint64{0x3fc00000}},
		{"f32, a NaN with a payload", f32, F32(nan32), []uint64{canonicalNaN32}},
		{"f64, a NaN with a payload", f64, F64(math.Float64frombits(0xfff8000000000001)), []uint64{canonicalNaN64}},
		{"char", prim(types.Char), Char('é'), []uint64{0xe9}},
		{"flags", flagsOf(9), Flags(0x101), []uint64{0x101}},
		{"enum", enumOf(3), Enum(2), []uint64{2}},
		{"record", recordOf(u8, recordOf(u64, f32)), Record(U8(1), Record(U64(2), F32(0))), []uint64{1, 2, 0}},
		{"list of fixed length", fixed(u8, 2), List(U8(1), U8(2)), []uint64{1, 2}},
		{"none", optionOf(tupleOf(u32, u64)), None(), []uint64{0, 0, 0}},
		{"some", optionOf(tupleOf(u32, u64)), Some(Tuple(U32(1), U64(2))), []uint64{1, 1, 2}},
		{"ok", resultOf(u32, nil), OK(U32(1)), []uint64{0, 1}},
		{"ok without payload", resultOf(nil, u32), OK(Value{}), []uint64{0, 0}},
		{"error without payload", resultOf(u32, nil), Err(Value{}), []uint64{1, 0}},
		{"a payload that is zero", resultOf(u32, nil), Value{}, []uint64{0, 0}},
		{"f32s in an i64 and an f32", joined, Variant(0, Tuple(F32(1.5), F32(1.5))), []uint64{0, 0x3fc00000, 0x3fc00000}},
		{"a u64 and nothing", joined, Variant(1, U64(1<<63)), []uint64{1, 1 << 63, 0}},
		{"a u32 in an i64", joined, Variant(2, U32(0xffffffff)), []uint64{2, 0xffffffff, 0}},
		{"an s8 in an i64", variantOf(prim(types.S8), u64), Variant(0, S8(-1)), []uint64{0, 0xffffffff}},
		{"an f64 in an i64", joined, Variant(3, F64(2.5)), []uint64{3, math.Float64bits(2.5), 0}},
		{"a case without payload", joined, Enum(4), []uint64{4, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(1, UTF8, 256)
			for range 2 { // the second time, what the first left on the stack must not be there
				_, err := g.lift(function(nil, c.typ), func(stack []uint64) error {
					if !slices.Equal(stack[:len(c.want)], c.want) {
						t.Errorf("%x, want %x", stack[:len(c.want)], c.want)
					}
					for i := range stack {
						stack[i] = garbage
					}
					return nil
				}, c.v)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestValuesOfAnotherType(t *testing.T) {
	u8, u32, str := prim(types.U8), prim(types.U32), prim(types.String)
	for _, c := range []struct {
		name string
		typ  *types.Type
		v    Value
		want string
	}{
		{"a number for a string", str, U32(1), "make it with String"},
		{"nothing for a string", str, Value{}, "make it with String"},
		{"a string for a number", u32, String("1"), "a string where the type is u32"},
		{"bytes for a char", prim(types.Char), Bytes(nil), "bytes where the type is char"},
		{"a string for bytes", listOf(u8), String("a"), "make it with Bytes"},
		{"a list for bytes", listOf(u8), List(U8(1)), "make it with Bytes"},
		{"bytes for a list", listOf(u32), Bytes([]byte{1}), "make it with List"},
		{"bytes for a list of fixed length", fixed(u8, 1), Bytes([]byte{1}), "bytes where the type is list"},
		{"a short list of fixed length", fixed(u8, 2), List(U8(1)), "1 elements for a list of exactly 2"},
		{"nothing for a record", recordOf(u8), Value{}, "a number, or nothing where the type is record"},
		{"a short record", recordOf(u8, u8), Record(U8(1)), "1 fields for a record of 2"},
		{"a long tuple", tupleOf(u8), Tuple(U8(1), U8(2)), "2 fields for a tuple of 1"},
		{"a list for a variant", variantOf(u8), List(), "a list, record or tuple where the type is variant"},
		{"a case too many", variantOf(u8, nil), Enum(2), "case 2: the variant has 2 cases"},
		{"a negative case", enumOf(2), Enum(-1), "the enum has 2 cases"},
		{"a payload too many", resultOf(nil, u8), OK(U8(1)), "a payload for case 0: the result has none there"},
		{"no payload", optionOf(str), Enum(1), "make it with String"},
		{"a case with a payload for a number", u32, Some(U8(1)), "a case with a payload where the type is u32"},
		{"a flag too many", flagsOf(3), Flags(8), "flags 0x8: there are 3 labels"},
		{"a surrogate", prim(types.Char), Char(0xd800), "char 0xd800"},
		{"a negative char", prim(types.Char), Char(-1), "char 0x"},
		{"a host's resource for a number", u32, Resource(new(int)), "a host's resource where the type is u32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, typ := range []*types.Type{c.typ, listOf(c.typ)} { // flat, and in memory
				v := c.v
				if typ != c.typ {
					v = List(v)
				}
				g := newGuest(1, UTF8, 256)
				_, err := g.lift(function(nil, typ), func([]uint64) error { return nil }, v)
				wantHostError(t, err, c.want)
			}
		})
	}
}

func TestWhatACallMayPassIsBounded(t *testing.T) {
	u8, str := prim(types.U8), prim(types.String)
	pages := listOf(listOf(u8))
	const half = 1 << 16 // of memory, which is full of one address and length
	for _, c := range []struct {
		name        string
		typ         *types.Type
		ptr, length uint32
	}{
		{"lists of bytes that are all the same", pages, 0, half},
		{"lists of lists that are all the same", listOf(pages), 0, 1 << 13},
		{"strings that are all the same", listOf(str), 0, half},
		{"lists of small elements", listOf(listOf(prim(types.Bool))), 0, half},
		{"payloads", listOf(listOf(optionOf(u8))), half, 1 << 9},
		{"lists of fixed length", listOf(listOf(fixed(u8, 256))), 0, 1 << 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(1, UTF8, 2*half)
			for i := 0; i < len(g.memory); i += 8 {
				storeInt(g.memory[i:], uint64(c.ptr), 4)
				storeInt(g.memory[i+4:], uint64(c.length), 4)
			}
			_, err := g.lower(function(nil, c.typ), taker(func(Value) { t.Error("called") }), half, half/8)
			wantTrap(t, err, "a call passes more than 64 MiB of values")
		})
	}
}
