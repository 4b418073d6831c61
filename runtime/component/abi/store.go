package abi

import (
	"encoding/binary"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// store lowers a value into memory. The caller has checked that ptr is aligned and that the value will be within memory. Canonical ABI,
// store.
//
// Memory may move while a value is stored, when the guest allocates: it is cx.mem each time.
func (cx *LiftLowerContext) store(v Value, t *layout, ptr uint32) error {
	switch t.kind {
	case types.String:
		begin, length, err := cx.storeStringIntoRange(v)
		if err != nil {
			return err
		}
		cx.storePair(ptr, begin, length)
		return nil
	case types.List:
		if t.length == 0 {
			begin, length, err := cx.storeListIntoRange(v, t.elem)
			if err != nil {
				return err
			}
			cx.storePair(ptr, begin, length)
			return nil
		}
		vs, err := fixedList(v, t)
		if err != nil {
			return err
		}
		return cx.storeListIntoValidRange(vs, ptr, t.elem)
	case types.Record:
		vs, err := record(v, t)
		if err != nil {
			return err
		}
		for i := range t.fields {
			f := &t.fields[i]
			if err := cx.store(vs[i], f.layout, ptr+f.offset); err != nil {
				return err
			}
		}
		return nil
	case types.Variant:
		c, err := matchCase(v, t)
		if err != nil {
			return err
		}
		storeInt(cx.mem[ptr:], v.bits, t.tag)
		if c == nil {
			return nil
		}
		return cx.store(v.Payload(), c, ptr+t.payload)
	default:
		bits, err := cx.lowerScalar(v, t)
		if err != nil {
			return err
		}
		storeInt(cx.mem[ptr:], bits, t.size)
		return nil
	}
}

// storeInt stores the lower bytes of an integer.
func storeInt(m []byte, n uint64, size uint32) {
	switch size {
	case 1:
		m[0] = byte(n)
	case 2:
		binary.LittleEndian.PutUint16(m, uint16(n))
	case 4:
		binary.LittleEndian.PutUint32(m, uint32(n))
	default:
		binary.LittleEndian.PutUint64(m, n)
	}
}

func (cx *LiftLowerContext) storePair(ptr, begin, length uint32) {
	binary.LittleEndian.PutUint32(cx.mem[ptr:], begin)
	binary.LittleEndian.PutUint32(cx.mem[ptr+4:], length)
}

func (cx *LiftLowerContext) storeListIntoRange(v Value, elem *layout) (ptr, length uint32, err error) {
	if elem.kind == types.U8 {
		return cx.storeBytes(v)
	}
	vs, ok := v.list()
	if !ok {
		return 0, 0, hostError("a list is needed: make it with List")
	}
	size := uint64(len(vs)) * uint64(elem.size)
	if size > maxListByteLength {
		return 0, 0, hostError("a list of %d bytes: must be at most %d", size, maxListByteLength)
	}
	if ptr, err = cx.allocate(elem.align, uint32(size)); err != nil {
		return 0, 0, err
	}
	return ptr, uint32(len(vs)), cx.storeListIntoValidRange(vs, ptr, elem)
}

func (cx *LiftLowerContext) storeBytes(v Value) (ptr, length uint32, err error) {
	b, ok := v.bytes()
	if !ok {
		return 0, 0, hostError("a list<u8> is needed: make it with Bytes")
	}
	if len(b) > maxListByteLength {
		return 0, 0, hostError("a list of %d bytes: must be at most %d", len(b), maxListByteLength)
	}
	if ptr, err = cx.allocate(1, uint32(len(b))); err != nil {
		return 0, 0, err
	}
	copy(cx.mem[ptr:], b)
	return ptr, uint32(len(b)), nil
}

func (cx *LiftLowerContext) storeListIntoValidRange(vs []Value, ptr uint32, elem *layout) error {
	for _, v := range vs {
		if err := cx.store(v, elem, ptr); err != nil {
			return err
		}
		ptr += elem.size
	}
	return nil
}
