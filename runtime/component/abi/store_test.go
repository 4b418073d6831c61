package abi

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

func TestValuesInMemory(t *testing.T) {
	u8, u16, u32, u64, str := prim(types.U8), prim(types.U16), prim(types.U32), prim(types.U64), prim(types.String)
	const at = 64 // the guest's realloc begins at 8
	for _, c := range []struct {
		name string
		typ  *types.Type
		v    Value
		want string // from 64, then from 8
		heap string
	}{
		{"scalars", recordOf(u8, u16, u32, u64), Record(U8(1), U16(2), U32(3), U64(4)), "01 00 0200 03000000 0400000000000000", ""},
		{"signed", tupleOf(prim(types.S8), prim(types.S16), prim(types.S32), prim(types.S64)),
			Tuple(S8(-1), S16(-2), S32(-3), S64(-4)), "ff 00 feff fdffffff fcffffffffffffff", ""},
		{"floats", tupleOf(prim(types.F32), prim(types.F64)), Tuple(F32(1.5), F64(-0.25)), "0000c03f 00000000 000000000000d0bf", ""},
		{"bool and char", tupleOf(prim(types.Bool), prim(types.Char)), Tuple(Bool(true), Char('é')), "01 000000 e9000000", ""},
		{"a tuple's end is aligned", listOf(tupleOf(u16, u8)), List(Tuple(U16(1), U8(2)), Tuple(U16(3), U8(4))), "08000000 02000000", "0100 02 00 0300 04 00"},
		{"string", tupleOf(str, u8), Tuple(String("hé"), U8(1)), "08000000 03000000 01", "68c3a9"},
		{"no bytes", tupleOf(listOf(u8), u8), Tuple(Bytes(nil), U8(1)), "08000000 00000000 01", ""},
		{"list of strings", tupleOf(listOf(str), u8), Tuple(List(String("a"), String("bc")), U8(9)), "08000000 02000000 09", "18000000 01000000 19000000 02000000 61 6263"},
		{"list of fixed length", tupleOf(fixed(u16, 3)), Tuple(List(U16(1), U16(2), U16(3))), "0100 0200 0300", ""},
		{"a payload is aligned to the largest", tupleOf(variantOf(u8, u64, u16)), Tuple(Variant(2, U16(5))), "02 00000000000000 0500", ""},
		{"a payload after a wide tag", tupleOf(variantOf(slices.Repeat([]*types.Type{u8}, 257)...)), Tuple(Variant(256, U8(5))), "0001 05", ""},
		{"some", tupleOf(optionOf(u32), optionOf(u8)), Tuple(Some(U32(7)), Some(U8(8))), "01 000000 07000000 01 08", ""},
		{"none", tupleOf(optionOf(u32), u8), Tuple(None(), U8(1)), "00 000000 00000000 01", ""},
		{"flags", tupleOf(flagsOf(3), flagsOf(12), flagsOf(32)), Tuple(Flags(5), Flags(0x801), Flags(1<<31)), "05 00 0108 00000080", ""},
		{"enum", tupleOf(enumOf(3), enumOf(300)), Tuple(Enum(2), Enum(299)), "02 00 2b01", ""},
		{"own and borrow", tupleOf(own(&types.Resource{Owner: 2}), u8), Tuple(GuestResource(77), U8(1)), "01000000 01", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(1, UTF8, 256)
			l, err := layouts{}.of(c.typ, 0)
			if err != nil {
				t.Fatal(err)
			}
			task := g.newTask(g.options(), g)
			task.fetch()
			if err := task.store(c.v, l, at); err != nil {
				t.Fatal(err)
			}
			for from, want := range map[int]string{at: c.want, 8: c.heap} {
				want = strings.ReplaceAll(want, " ", "")
				if got := hex.EncodeToString(g.memory[from : from+len(want)/2]); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
			if got := g.loadAt(t, c.typ, at); !got.Equal(c.v) {
				t.Errorf("%+v, want %+v", got, c.v)
			}
		})
	}
	t.Run("flags without a label are not lifted", func(t *testing.T) {
		g := newGuest(1, UTF8, 256)
		g.memory[at] = 0xff
		if got := g.loadAt(t, flagsOf(3), at); got.Flags() != 7 {
			t.Errorf("0x%x", got.Flags())
		}
	})
}
