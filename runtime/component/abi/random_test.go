package abi

import (
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// random makes types, and values of them.
type random struct {
	*rand.Rand
	resources []*types.Resource // none: no handles
	source    func() source     // of strings
}

var texts = []string{"", "a", "hello", "Straße", "ÿ", "\x00", "日本語", "a日", "é日é", "🦋", "x🦋y", "ÿÿÿÿĀ", strings.Repeat("z", 40)}

// typ makes a type that holds at most depth others, and whose lists are at most lists deep.
func (r random) typ(depth, lists int) *types.Type {
	n := int(types.Borrow) + 1
	if depth == 0 {
		n = int(types.String) + 1
	}
	switch k := types.Kind(r.IntN(n)); k {
	case types.List:
		if lists == 0 {
			return prim(types.U8)
		}
		if r.IntN(4) == 0 {
			return fixed(r.typ(depth-1, lists-1), 1+r.Uint32N(6))
		}
		return listOf(r.typ(depth-1, lists-1))
	case types.Record, types.Tuple:
		t := &types.Type{Kind: k}
		t.Fields = fields(r.types(1+r.IntN(5), depth, lists))
		return t
	case types.Variant:
		cases := r.types(1+r.IntN(5), depth, lists)
		for i := range cases {
			if r.IntN(3) == 0 {
				cases[i] = nil
			}
		}
		return variantOf(cases...)
	case types.Option:
		return optionOf(r.typ(depth-1, lists))
	case types.Result:
		two := r.types(2, depth, lists)
		for i := range two {
			if r.IntN(3) == 0 {
				two[i] = nil
			}
		}
		return resultOf(two[0], two[1])
	case types.Enum:
		return enumOf([]int{1, 2, 7, 256, 257}[r.IntN(5)])
	case types.Flags:
		return flagsOf(1 + r.IntN(32))
	case types.Own, types.Borrow:
		if len(r.resources) == 0 {
			return prim(types.Char)
		}
		return &types.Type{Kind: k, Resource: r.resources[r.IntN(len(r.resources))]}
	default:
		return prim(k)
	}
}

func (r random) types(n, depth, lists int) []*types.Type {
	ts := make([]*types.Type, n)
	for i := range ts {
		ts[i] = r.typ(depth-1, lists)
	}
	return ts
}

func (r random) value(t *types.Type) Value {
	switch t.Kind {
	case types.Bool:
		return Bool(r.IntN(2) == 0)
	case types.U8:
		return U8(uint8(r.Uint32()))
	case types.U16:
		return U16(uint16(r.Uint32()))
	case types.U32:
		return U32(r.Uint32())
	case types.U64:
		return U64(r.Uint64())
	case types.S8:
		return S8(int8(r.Uint32()))
	case types.S16:
		return S16(int16(r.Uint32()))
	case types.S32:
		return S32(int32(r.Uint32()))
	case types.S64:
		return S64(int64(r.Uint64()))
	case types.F32:
		return Value{bits: uint64([]uint32{0, 0x80000000, 0x3fc00000, 0x7f800000, canonicalNaN32, r.Uint32() &^ 0x40000000}[r.IntN(6)])}
	case types.F64:
		return Value{bits: []uint64{0, 1 << 63, 0x3ff8 << 48, 0x7ff0 << 48, canonicalNaN64, r.Uint64() &^ (1 << 62)}[r.IntN(6)]}
	case types.Char:
		for {
			if c := r.Uint32N(utf8.MaxRune + 1); validChar(c) {
				return Char(rune(c))
			}
		}
	case types.String:
		s := texts[r.IntN(len(texts))]
		from := sourceUTF8
		if r.source != nil {
			from = r.source()
		}
		for _, c := range s {
			if from == sourceLatin1 && c > 0xff {
				from = sourceTaggedUTF16
			}
		}
		return stringFrom(s, from)
	case types.List:
		n := int(t.Length)
		if n == 0 {
			n = r.IntN(5)
			if t.Elem.Kind == types.U8 {
				b := make([]byte, n)
				for i := range b {
					b[i] = byte(r.Uint32())
				}
				return Bytes(b)
			}
		}
		vs := make([]Value, n)
		for i := range vs {
			vs[i] = r.value(t.Elem)
		}
		return List(vs...)
	case types.Record, types.Tuple:
		vs := make([]Value, len(t.Fields))
		for i, f := range t.Fields {
			vs[i] = r.value(f.Type)
		}
		return Record(vs...)
	case types.Variant:
		c := r.IntN(len(t.Cases))
		return r.variant(c, t.Cases[c].Type)
	case types.Option:
		if r.IntN(2) == 0 {
			return None()
		}
		return Some(r.value(t.Elem))
	case types.Result:
		if r.IntN(2) == 0 {
			return r.variant(0, t.OK)
		}
		return r.variant(1, t.Err)
	case types.Enum:
		return Enum(r.IntN(len(t.Labels)))
	case types.Flags:
		return Flags(r.Uint64() & (1<<len(t.Labels) - 1))
	default:
		return GuestResource(r.Uint32())
	}
}

func (r random) variant(c int, t *types.Type) Value {
	if t == nil {
		return Enum(c)
	}
	return Variant(c, r.value(t))
}
