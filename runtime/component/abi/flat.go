package abi

import "github.com/mayfly-run/mayfly/runtime/component/types"

// A core value is the lower bits of 64, and what is above is not looked at. So what a variant's flat types are joined to needs no
// conversion: an i32 or f32 in the place of an i64 is its lower half.

// liftFlat lifts a value from core values. Canonical ABI, lift_flat.
func (cx *LiftLowerContext) liftFlat(flat []uint64, t *layout) (Value, error) {
	switch t.kind {
	case types.Bool:
		return Bool(uint32(flat[0]) != 0), nil
	case types.U8:
		return U8(uint8(flat[0])), nil
	case types.U16:
		return U16(uint16(flat[0])), nil
	case types.U32:
		return U32(uint32(flat[0])), nil
	case types.U64:
		return U64(flat[0]), nil
	case types.S8:
		return S8(int8(flat[0])), nil
	case types.S16:
		return S16(int16(flat[0])), nil
	case types.S32:
		return S32(int32(flat[0])), nil
	case types.S64:
		return S64(int64(flat[0])), nil
	case types.F32:
		return Value{bits: uint64(canonicalizeNaN32(uint32(flat[0])))}, nil
	case types.F64:
		return Value{bits: canonicalizeNaN64(flat[0])}, nil
	case types.Char:
		return liftChar(uint32(flat[0]))
	case types.String:
		return cx.loadStringFromRange(uint32(flat[0]), uint32(flat[1]))
	case types.List:
		if t.length == 0 {
			return cx.loadListFromRange(uint32(flat[0]), uint32(flat[1]), t.elem)
		}
		return cx.liftFlatList(flat, t)
	case types.Record:
		return cx.liftFlatRecord(flat, t)
	case types.Variant:
		return cx.liftFlatVariant(flat, t)
	case types.Flags:
		return Flags(flat[0] & uint64(t.mask)), nil
	case types.Own:
		return cx.liftOwn(uint32(flat[0]), t.resource)
	default: // types.Borrow
		return cx.liftBorrow(uint32(flat[0]), t.resource)
	}
}

func (cx *LiftLowerContext) liftFlatList(flat []uint64, t *layout) (Value, error) {
	vs, err := cx.values(int(t.length))
	if err != nil {
		return Value{}, err
	}
	for i := range vs {
		if vs[i], err = cx.liftFlat(flat[i*t.elem.flats:], t.elem); err != nil {
			return Value{}, err
		}
	}
	return List(vs...), nil
}

func (cx *LiftLowerContext) liftFlatRecord(flat []uint64, t *layout) (Value, error) {
	vs, err := cx.values(len(t.fields))
	if err != nil {
		return Value{}, err
	}
	for i := range t.fields {
		f := &t.fields[i]
		if vs[i], err = cx.liftFlat(flat[f.flat:], f.layout); err != nil {
			return Value{}, err
		}
	}
	return Record(vs...), nil
}

func (cx *LiftLowerContext) liftFlatVariant(flat []uint64, t *layout) (Value, error) {
	index := uint32(flat[0])
	c, err := t.variantCase(index)
	if err != nil || c == nil {
		return Enum(int(index)), err
	}
	vs, err := cx.values(1)
	if err != nil {
		return Value{}, err
	}
	if vs[0], err = cx.liftFlat(flat[1:], c); err != nil {
		return Value{}, err
	}
	return Value{bits: uint64(index), ref: &vs[0]}, nil
}

// variantCase is the layout of a case's payload, nil if it has none.
func (t *layout) variantCase(index uint32) (*layout, error) {
	if uint64(index) >= uint64(len(t.cases)) {
		return nil, trap("invalid variant discriminant %d: the %s has %d cases", index, t.typ.Kind, len(t.cases))
	}
	return t.cases[index], nil
}

// lowerFlat lowers a value to core values. Canonical ABI, lower_flat.
func (cx *LiftLowerContext) lowerFlat(v Value, t *layout, flat []uint64) error {
	switch t.kind {
	case types.String:
		ptr, length, err := cx.storeStringIntoRange(v)
		flat[0], flat[1] = uint64(ptr), uint64(length)
		return err
	case types.List:
		if t.length == 0 {
			ptr, length, err := cx.storeListIntoRange(v, t.elem)
			flat[0], flat[1] = uint64(ptr), uint64(length)
			return err
		}
		return cx.lowerFlatList(v, t, flat)
	case types.Record:
		return cx.lowerFlatRecord(v, t, flat)
	case types.Variant:
		return cx.lowerFlatVariant(v, t, flat)
	default:
		bits, err := cx.lowerScalar(v, t)
		switch t.kind {
		case types.S8, types.S16: // an i32, and in it the sign is extended; the others are as wide or have no sign
			bits = uint64(uint32(int32(bits)))
		}
		flat[0] = bits
		return err
	}
}

// lowerScalar lowers what is one core value. The bits above the type's own are 0, but those of a signed integer are its sign.
func (cx *LiftLowerContext) lowerScalar(v Value, t *layout) (uint64, error) {
	if t.kind == types.Own {
		i, err := cx.lowerOwn(v, t.resource)
		return uint64(i), err
	}
	if t.kind == types.Borrow {
		i, err := cx.lowerBorrow(v, t.resource)
		return uint64(i), err
	}
	if v.ref != nil {
		return 0, mismatch(v, t)
	}
	switch t.kind {
	case types.Bool:
		if v.bits != 0 {
			return 1, nil
		}
		return 0, nil
	case types.U8:
		return uint64(v.U8()), nil
	case types.U16:
		return uint64(v.U16()), nil
	case types.U32, types.S32:
		return uint64(v.U32()), nil
	case types.S8:
		return uint64(v.S8()), nil
	case types.S16:
		return uint64(v.S16()), nil
	case types.F32:
		return uint64(canonicalizeNaN32(uint32(v.bits))), nil
	case types.F64:
		return canonicalizeNaN64(v.bits), nil
	case types.Char:
		if v.bits > 0xffffffff || !validChar(uint32(v.bits)) {
			return 0, hostError("char 0x%x: not a Unicode scalar value", v.bits)
		}
		return v.bits, nil
	case types.Flags:
		if v.bits&^uint64(t.mask) != 0 {
			return 0, hostError("flags 0x%x: there are %d labels", v.bits, len(t.typ.Labels))
		}
		return v.bits, nil
	default: // types.U64, types.S64
		return v.bits, nil
	}
}

func (cx *LiftLowerContext) lowerFlatList(v Value, t *layout, flat []uint64) error {
	vs, err := fixedList(v, t)
	if err != nil {
		return err
	}
	for i := range vs {
		if err := cx.lowerFlat(vs[i], t.elem, flat[i*t.elem.flats:]); err != nil {
			return err
		}
	}
	return nil
}

func (cx *LiftLowerContext) lowerFlatRecord(v Value, t *layout, flat []uint64) error {
	vs, err := record(v, t)
	if err != nil {
		return err
	}
	for i := range t.fields {
		f := &t.fields[i]
		if err := cx.lowerFlat(vs[i], f.layout, flat[f.flat:]); err != nil {
			return err
		}
	}
	return nil
}

func (cx *LiftLowerContext) lowerFlatVariant(v Value, t *layout, flat []uint64) error {
	c, err := matchCase(v, t)
	if err != nil {
		return err
	}
	flat[0] = v.bits
	used := 1
	if c != nil {
		if err := cx.lowerFlat(v.Payload(), c, flat[1:]); err != nil {
			return err
		}
		used += c.flats
	}
	clear(flat[used:t.flats])
	return nil
}

// record reads a record or tuple of the right number of fields.
func record(v Value, t *layout) ([]Value, error) {
	vs, ok := v.list()
	if !ok {
		return nil, mismatch(v, t)
	}
	if len(vs) != len(t.fields) {
		return nil, hostError("%d fields for a %s of %d", len(vs), t.typ.Kind, len(t.fields))
	}
	return vs, nil
}

// fixedList reads a list of fixed length.
func fixedList(v Value, t *layout) ([]Value, error) {
	vs, ok := v.list()
	if !ok {
		return nil, mismatch(v, t)
	}
	if len(vs) != int(t.length) {
		return nil, hostError("%d elements for a list of exactly %d", len(vs), t.length)
	}
	return vs, nil
}

// matchCase is the layout of the payload of the case that v is; nil if the case has none.
func matchCase(v Value, t *layout) (*layout, error) {
	if v.ref != nil {
		if _, ok := v.ref.(*Value); !ok {
			return nil, mismatch(v, t)
		}
	}
	if v.bits >= uint64(len(t.cases)) {
		return nil, hostError("case %d: the %s has %d cases", v.bits, t.typ.Kind, len(t.cases))
	}
	c := t.cases[v.bits]
	if p := v.Payload(); c == nil && (p.bits != 0 || p.ref != nil) {
		return nil, hostError("a payload for case %d: the %s has none there", v.bits, t.typ.Kind)
	}
	return c, nil
}

// mismatch says what v is and what it should be.
func mismatch(v Value, t *layout) error {
	is := "a host's resource"
	switch v.ref.(type) {
	case nil:
		is = "a number, or nothing"
	case *stringData:
		is = "a string"
	case *bytesData:
		is = "bytes"
	case *listData:
		is = "a list, record or tuple"
	case *Value:
		is = "a case with a payload"
	}
	return hostError("%s where the type is %s", is, describe(t))
}

func describe(t *layout) string {
	if t.kind == types.List && t.length == 0 && t.elem.kind == types.U8 {
		return "list<u8>: make it with Bytes"
	}
	return t.typ.Kind.String()
}
