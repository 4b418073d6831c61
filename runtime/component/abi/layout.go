package abi

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// The value types of core WebAssembly that the canonical ABI uses, as WebAssembly encodes them.
const (
	CoreI32 byte = 0x7f
	CoreI64 byte = 0x7e
	CoreF32 byte = 0x7d
	CoreF64 byte = 0x7c
)

const (
	maxValueSize = 1 << 28 // what validation allows for the size of a value in memory. Canonical ABI, "Element Size"
	maxTypeDepth = 256     // of types in types; package validate allows fewer
)

// layout is a value type made ready: what alignment, elem_size, discriminant_type and flatten_type say of it, and of what it is made.
// A type that occurs twice has one layout.
type layout struct {
	kind  types.Kind // despecialized: Tuple is Record here; Enum, Option and Result are Variant
	typ   *types.Type
	align uint32
	size  uint32

	// What the type is passed as when it is passed in core values. More than MaxFlatParams never are: flat is nil then, and flats is
	// something above.
	flat  []byte
	flats int

	fields   []field   // Record
	cases    []*layout // Variant; nil: no payload
	tag      uint32    // Variant: the size of the discriminant
	payload  uint32    // Variant: where the payload is
	elem     *layout   // List
	length   uint32    // of a List of fixed length
	mask     uint32    // Flags: the bits that have a label
	resource *types.Resource
	owns     bool // there may be an own handle in it
	inside   int  // how many values there may be in one, without those in lists of any length
}

// field is where a field of a record is, in memory and in core values.
type field struct {
	name   string
	offset uint32
	flat   int
	*layout
}

// layouts makes the layouts of a function's types.
type layouts map[*types.Type]*layout

func (ls layouts) of(t *types.Type, depth int) (*layout, error) {
	if l, ok := ls[t]; ok {
		return l, nil
	}
	if depth > maxTypeDepth {
		return nil, fmt.Errorf("types in types more than %d deep", maxTypeDepth)
	}
	l := &layout{kind: t.Kind, typ: t}
	var err error
	switch t.Kind {
	case types.Bool, types.S8, types.U8:
		l.scalar(1, CoreI32)
	case types.S16, types.U16:
		l.scalar(2, CoreI32)
	case types.S32, types.U32, types.Char:
		l.scalar(4, CoreI32)
	case types.S64, types.U64:
		l.scalar(8, CoreI64)
	case types.F32:
		l.scalar(4, CoreF32)
	case types.F64:
		l.scalar(8, CoreF64)
	case types.Own, types.Borrow:
		l.scalar(4, CoreI32)
		l.resource, l.owns = t.Resource, t.Kind == types.Own
		if t.Resource == nil {
			err = errors.New("a handle of no resource")
		}
	case types.String:
		l.pointer()
	case types.Flags:
		err = l.flags(len(t.Labels))
	case types.List:
		err = ls.list(l, t, depth)
	case types.Record, types.Tuple:
		err = ls.record(l, t.Fields, depth)
	case types.Variant:
		cases := make([]*types.Type, len(t.Cases))
		for i, c := range t.Cases {
			cases[i] = c.Type
		}
		err = ls.variant(l, cases, depth)
	case types.Enum:
		err = ls.variant(l, make([]*types.Type, len(t.Labels)), depth)
	case types.Option:
		if t.Elem == nil {
			return nil, errors.New("an option of nothing")
		}
		err = ls.variant(l, []*types.Type{nil, t.Elem}, depth)
	case types.Result:
		err = ls.variant(l, []*types.Type{t.OK, t.Err}, depth)
	default:
		err = fmt.Errorf("unknown kind of type %d", t.Kind)
	}
	if err != nil {
		return nil, err
	}
	ls[t] = l
	return l, nil
}

func (l *layout) scalar(size uint32, flat byte) {
	l.align, l.size, l.flat, l.flats = size, size, []byte{flat}, 1
}

func (l *layout) pointer() {
	l.align, l.size, l.flat, l.flats = 4, 8, []byte{CoreI32, CoreI32}, 2
}

func (l *layout) flags(n int) error {
	switch {
	case n == 0 || n > 32:
		return fmt.Errorf("flags with %d labels: must be 1 to 32", n)
	case n <= 8:
		l.scalar(1, CoreI32)
	case n <= 16:
		l.scalar(2, CoreI32)
	default:
		l.scalar(4, CoreI32)
	}
	l.mask = 1<<n - 1
	return nil
}

func (ls layouts) list(l *layout, t *types.Type, depth int) error {
	if t.Elem == nil {
		return errors.New("a list of nothing")
	}
	e, err := ls.of(t.Elem, depth+1)
	if err != nil {
		return err
	}
	l.elem, l.length, l.owns = e, t.Length, e.owns
	if t.Length == 0 {
		l.pointer()
		return nil
	}
	l.contain(int(min(t.Length, maxAhead)) * (1 + e.inside))
	l.align = e.align
	if err := l.grow(uint64(t.Length) * uint64(e.size)); err != nil {
		return err
	}
	for range min(t.Length, MaxFlatParams+1) {
		l.append(e)
	}
	return nil
}

func (ls layouts) record(l *layout, fields []types.Field, depth int) error {
	l.kind, l.align = types.Record, 1
	l.fields = make([]field, len(fields))
	size := uint64(0)
	for i, f := range fields {
		if f.Type == nil {
			return fmt.Errorf("field %q has no type", f.Name)
		}
		e, err := ls.of(f.Type, depth+1)
		if err != nil {
			return err
		}
		size = alignTo(size, e.align)
		l.fields[i] = field{name: f.Name, offset: uint32(size), flat: l.flats, layout: e}
		size += uint64(e.size)
		if err := l.grow(size); err != nil {
			return err
		}
		l.align = max(l.align, e.align)
		l.append(e)
		l.contain(1 + e.inside)
		l.owns = l.owns || e.owns
	}
	return l.grow(alignTo(size, l.align))
}

func (ls layouts) variant(l *layout, cases []*types.Type, depth int) error {
	if len(cases) == 0 {
		return errors.New("a variant or enum without cases")
	}
	l.kind = types.Variant
	l.cases = make([]*layout, len(cases))
	switch n := len(cases); { // discriminant_type
	case n <= 1<<8:
		l.tag = 1
	case n <= 1<<16:
		l.tag = 2
	default:
		l.tag = 4
	}
	align, size, inside := uint32(1), uint32(0), 0
	var joined []byte
	flats := 0
	for i, t := range cases {
		if t == nil {
			continue
		}
		c, err := ls.of(t, depth+1)
		if err != nil {
			return err
		}
		l.cases[i] = c
		l.owns = l.owns || c.owns
		align, size, flats = max(align, c.align), max(size, c.size), max(flats, c.flats)
		inside = max(inside, 1+c.inside)
		for j, f := range c.flat {
			if j < len(joined) {
				joined[j] = join(joined[j], f)
			} else {
				joined = append(joined, f)
			}
		}
	}
	l.contain(inside)
	l.flats = 1 + flats
	if l.flats <= MaxFlatParams {
		l.flat = append([]byte{CoreI32}, joined...)
	}
	l.payload = uint32(alignTo(uint64(l.tag), align))
	l.align = max(l.tag, align)
	return l.grow(alignTo(uint64(l.payload)+uint64(size), l.align))
}

// append adds what e is passed as to what l is.
func (l *layout) append(e *layout) {
	l.flats += e.flats
	if l.flats > MaxFlatParams {
		l.flat, l.flats = nil, MaxFlatParams+1
		return
	}
	l.flat = append(l.flat, e.flat...)
}

// contain adds to the values inside. More than maxAhead are as good as that.
func (l *layout) contain(n int) { l.inside = min(l.inside+n, maxAhead) }

func (l *layout) grow(size uint64) error {
	if size >= maxValueSize {
		return fmt.Errorf("a value of %d bytes: must be less than %d", size, maxValueSize)
	}
	l.size = uint32(size)
	return nil
}

// join is the core type that can hold the bits of both. Because a core value on the stack is 64 bits, of which the lower are used, what
// the specification converts between joined types needs no conversion here.
func join(a, b byte) byte {
	switch {
	case a == b:
		return a
	case a == CoreI32 && b == CoreF32, a == CoreF32 && b == CoreI32:
		return CoreI32
	}
	return CoreI64
}

func alignTo(n uint64, align uint32) uint64 {
	return (n + uint64(align) - 1) &^ (uint64(align) - 1)
}
