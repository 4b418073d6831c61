package abi

import (
	"encoding/binary"
	"slices"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// maxListByteLength bounds a list. Canonical ABI, MAX_LIST_BYTE_LENGTH.
const maxListByteLength = 1<<28 - 1

// load lifts a value from memory. The caller has checked that ptr is aligned and that the value is within memory. Canonical ABI, load.
func (cx *LiftLowerContext) load(ptr uint32, t *layout) (Value, error) {
	m := cx.mem[ptr:]
	switch t.kind {
	case types.Bool:
		return Bool(m[0] != 0), nil
	case types.U8:
		return U8(m[0]), nil
	case types.U16:
		return U16(binary.LittleEndian.Uint16(m)), nil
	case types.U32:
		return U32(binary.LittleEndian.Uint32(m)), nil
	case types.U64:
		return U64(binary.LittleEndian.Uint64(m)), nil
	case types.S8:
		return S8(int8(m[0])), nil
	case types.S16:
		return S16(int16(binary.LittleEndian.Uint16(m))), nil
	case types.S32:
		return S32(int32(binary.LittleEndian.Uint32(m))), nil
	case types.S64:
		return S64(int64(binary.LittleEndian.Uint64(m))), nil
	case types.F32:
		return Value{bits: uint64(canonicalizeNaN32(binary.LittleEndian.Uint32(m)))}, nil
	case types.F64:
		return Value{bits: canonicalizeNaN64(binary.LittleEndian.Uint64(m))}, nil
	case types.Char:
		return liftChar(binary.LittleEndian.Uint32(m))
	case types.String:
		return cx.loadStringFromRange(binary.LittleEndian.Uint32(m), binary.LittleEndian.Uint32(m[4:]))
	case types.List:
		if t.length == 0 {
			return cx.loadListFromRange(binary.LittleEndian.Uint32(m), binary.LittleEndian.Uint32(m[4:]), t.elem)
		}
		return cx.loadListFromValidRange(ptr, int(t.length), t.elem)
	case types.Record:
		return cx.loadRecord(ptr, t)
	case types.Variant:
		return cx.loadVariant(ptr, t)
	case types.Flags:
		return Flags(uint64(loadInt(m, t.size) & t.mask)), nil
	case types.Own:
		return cx.liftOwn(binary.LittleEndian.Uint32(m), t.resource)
	default: // types.Borrow
		return cx.liftBorrow(binary.LittleEndian.Uint32(m), t.resource)
	}
}

// loadInt loads an unsigned integer of 1, 2 or 4 bytes.
func loadInt(m []byte, size uint32) uint32 {
	switch size {
	case 1:
		return uint32(m[0])
	case 2:
		return uint32(binary.LittleEndian.Uint16(m))
	default:
		return binary.LittleEndian.Uint32(m)
	}
}

func (cx *LiftLowerContext) loadListFromRange(ptr, length uint32, elem *layout) (Value, error) {
	size := uint64(length) * uint64(elem.size)
	if size > maxListByteLength {
		return Value{}, trap("list at 0x%x of %d bytes: too long", ptr, size)
	}
	if err := cx.check("list", ptr, size, elem.align); err != nil {
		return Value{}, err
	}
	if elem.kind == types.U8 {
		if err := cx.take(size); err != nil {
			return Value{}, err
		}
		return Bytes(slices.Clone(cx.mem[ptr:][:size])), nil
	}
	return cx.loadListFromValidRange(ptr, int(length), elem)
}

func (cx *LiftLowerContext) loadListFromValidRange(ptr uint32, length int, elem *layout) (Value, error) {
	vs, err := cx.values(length)
	if err != nil {
		return Value{}, err
	}
	ahead := cx.ahead
	for i := range vs {
		cx.ahead = (length - i) * elem.inside
		if vs[i], err = cx.load(ptr, elem); err != nil {
			return Value{}, err
		}
		ptr += elem.size
	}
	cx.ahead = ahead
	return List(vs...), nil
}

func (cx *LiftLowerContext) loadRecord(ptr uint32, t *layout) (Value, error) {
	vs, err := cx.values(len(t.fields))
	if err != nil {
		return Value{}, err
	}
	for i := range t.fields {
		f := &t.fields[i]
		if vs[i], err = cx.load(ptr+f.offset, f.layout); err != nil {
			return Value{}, err
		}
	}
	return Record(vs...), nil
}

func (cx *LiftLowerContext) loadVariant(ptr uint32, t *layout) (Value, error) {
	index := loadInt(cx.mem[ptr:], t.tag)
	c, err := t.variantCase(index)
	if err != nil || c == nil {
		return Enum(int(index)), err
	}
	vs, err := cx.values(1)
	if err != nil {
		return Value{}, err
	}
	if vs[0], err = cx.load(ptr+t.payload, c); err != nil {
		return Value{}, err
	}
	return Value{bits: uint64(index), ref: &vs[0]}, nil
}
