package abi

import (
	"math"
	"testing"
	"unsafe"
)

func TestValueSize(t *testing.T) {
	if n := unsafe.Sizeof(Value{}); n != valueSize {
		t.Errorf("a Value has %d bytes, and is counted as %d", n, valueSize)
	}
}

func TestValuesAreReadAsTheyAreMade(t *testing.T) {
	file := new(int)
	payload, some := Some(U8(3)).Some()
	none, isNone := None().Some()
	good, isGood := OK(String("x")).OK()
	bad, isBad := Err(String("y")).OK()
	for name, ok := range map[string]bool{
		"bool":             Bool(true).Bool() && !Bool(false).Bool(),
		"u8":               U8(255).U8() == 255,
		"u16":              U16(65535).U16() == 65535,
		"u32":              U32(math.MaxUint32).U32() == math.MaxUint32,
		"u64":              U64(math.MaxUint64).U64() == math.MaxUint64,
		"s8":               S8(-128).S8() == -128,
		"s16":              S16(math.MinInt16).S16() == math.MinInt16,
		"s32":              S32(math.MinInt32).S32() == math.MinInt32,
		"s64":              S64(math.MinInt64).S64() == math.MinInt64,
		"f32":              F32(1.5).F32() == 1.5,
		"f64":              F64(math.Inf(1)).F64() == math.Inf(1),
		"char":             Char('日').Char() == '日',
		"string":           String("日本").String() == "日本" && String("").String() == "",
		"string by source": stringFrom("日本", sourceTaggedUTF16).String() == "日本",
		"bytes":            string(Bytes([]byte("ab")).Bytes()) == "ab" && len(Bytes(nil).Bytes()) == 0,
		"list":             len(List(U8(1), U8(2)).List()) == 2 && len(List().List()) == 0,
		"field":            Record(U8(1), U8(2)).Field(1).U8() == 2 && Tuple(U8(1)).Field(0).U8() == 1,
		"variant":          Variant(2, U8(9)).Case() == 2 && Variant(2, U8(9)).Payload().U8() == 9,
		"enum":             Enum(4).Case() == 4 && Enum(4).Payload().Equal(Value{}),
		"some":             some && payload.U8() == 3,
		"none":             !isNone && none.Equal(Value{}) && None().Case() == 0,
		"ok":               isGood && good.String() == "x",
		"error":            !isBad && bad.String() == "y",
		"flags":            Flags(5).Flags() == 5,
		"resource":         Resource(file).Resource() == file,
		"guest's resource": GuestResource(7).Rep() == 7,
		"another type":     U8(1).String() == "" && String("a").Bytes() == nil && Bytes([]byte("a")).List() == nil && List().String() == "",
	} {
		if !ok {
			t.Error(name)
		}
	}
}

func TestEqualValues(t *testing.T) {
	a := Record(U8(1), String("a"), Bytes([]byte("b")), List(Some(S64(-1))), None())
	b := Record(U8(1), stringFrom("a", sourceLatin1), Bytes([]byte("b")), List(Some(S64(-1))), None())
	if !a.Equal(b) || !b.Equal(a) {
		t.Error("two that are equal")
	}
	// A payload of 0 is one, whether or not there is memory for it.
	if one, other := Some(U8(0)), variant(1, U8(0)); !one.Equal(other) || !other.Equal(one) || one.Equal(None()) || other.Equal(None()) || other.Equal(Some(U8(1))) {
		t.Error("payloads that are 0")
	}
	for _, o := range []Value{
		Record(U8(2), String("a"), Bytes([]byte("b")), List(Some(S64(-1))), None()),
		Record(U8(1), String("b"), Bytes([]byte("b")), List(Some(S64(-1))), None()),
		Record(U8(1), String("a"), Bytes([]byte("bb")), List(Some(S64(-1))), None()),
		Record(U8(1), String("a"), Bytes([]byte("b")), List(None()), None()),
		Record(U8(1), String("a"), Bytes([]byte("b")), List(), None()),
		Record(U8(1), String("a"), Bytes([]byte("b")), List(Some(S64(-2))), None()),
		Record(U8(1), Bytes([]byte("a")), String("b"), List(Some(S64(-1))), None()),
		Record(),
		String("a"),
		Value{},
	} {
		if a.Equal(o) || o.Equal(a) {
			t.Errorf("%+v", o)
		}
	}
}
