package abi

import (
	"bytes"
	"math"
	"slices"
	"unsafe"
)

// Value is a value of a component type. It does not carry its type: who makes or reads one knows it, from the function's type. The zero
// Value is false, 0, the first case of an enum, a variant or an option (none), no flags; and what a function without a result returns.
//
// To read a value as another type than its own is a mistake of the host, and panics where it cannot be served.
//
// Values are compared with Equal: neither == nor reflect.DeepEqual looks at all of a string or list.
type Value struct {
	_    [0]func() // no ==
	bits uint64    // numbers, characters, flags, enum cases, the case of a variant; a guest's resource; a length, and a string's source
	ref  any       // *stringData, *bytesData, *listData, *Value (a payload), or a resource of the host
}

// A string or slice in an interface would take an allocation for its header, on top of that of its content. A pointer takes none: so
// ref has the pointer, with a type that says what it points to, and bits the length.
type (
	stringData byte
	bytesData  byte
	listData   Value
)

// source is the encoding in which a component gave a string: by it the specification chooses how the string is stored into another
// component, which sees the difference in the calls of its realloc. It stands above the length in a string's bits.
type source uint8

const (
	sourceUTF8 source = iota // and what the host makes
	sourceUTF16
	sourceLatin1      // latin1+utf16, and latin1 it was
	sourceTaggedUTF16 // latin1+utf16, and utf16 it was

	sourceShift = 62
	lengthMask  = 1<<sourceShift - 1
)

// Bool returns a bool.
func Bool(b bool) Value {
	if b {
		return Value{bits: 1}
	}
	return Value{}
}

// U8 returns a u8. The other numbers likewise.
func U8(n uint8) Value    { return Value{bits: uint64(n)} }
func U16(n uint16) Value  { return Value{bits: uint64(n)} }
func U32(n uint32) Value  { return Value{bits: uint64(n)} }
func U64(n uint64) Value  { return Value{bits: n} }
func S8(n int8) Value     { return Value{bits: uint64(n)} }
func S16(n int16) Value   { return Value{bits: uint64(n)} }
func S32(n int32) Value   { return Value{bits: uint64(n)} }
func S64(n int64) Value   { return Value{bits: uint64(n)} }
func F32(f float32) Value { return Value{bits: uint64(math.Float32bits(f))} }
func F64(f float64) Value { return Value{bits: math.Float64bits(f)} }

// Char returns a char. r must be a Unicode scalar value.
func Char(r rune) Value { return Value{bits: uint64(r)} }

// String returns a string. What is not UTF-8 in it arrives as U+FFFD.
func String(s string) Value { return stringFrom(s, sourceUTF8) }

func stringFrom(s string, from source) Value {
	return Value{bits: uint64(len(s)) | uint64(from)<<sourceShift, ref: (*stringData)(unsafe.StringData(s))}
}

// Bytes returns a list<u8>. The slice must not change while the value is in use.
func Bytes(b []byte) Value {
	return Value{bits: uint64(len(b)), ref: (*bytesData)(unsafe.SliceData(b))}
}

// List returns a list of another element type than u8, which Bytes is for, or one of fixed length.
func List(elements ...Value) Value {
	return Value{bits: uint64(len(elements)), ref: (*listData)(unsafe.SliceData(elements))}
}

// Record returns a record: its fields in the order of its type.
func Record(fields ...Value) Value { return List(fields...) }

// Tuple returns a tuple.
func Tuple(elements ...Value) Value { return List(elements...) }

// Variant returns a case of a variant, by its number, that has a payload.
func Variant(c int, payload Value) Value {
	if payload.isZero() { // as it is without one
		return Value{bits: uint64(c)}
	}
	return variant(c, payload)
}

// variant is apart because it takes an allocation from its beginning on.
func variant(c int, payload Value) Value { return Value{bits: uint64(c), ref: &payload} }

func (v Value) isZero() bool { return v.bits == 0 && v.ref == nil }

// Enum returns a case of an enum, or a case of a variant that has no payload.
func Enum(c int) Value { return Value{bits: uint64(c)} }

// Flags returns flags: bit 0 is the first label.
func Flags(bits uint64) Value { return Value{bits: bits} }

// None returns an option without a value.
func None() Value { return Value{} }

// Some returns an option with a value.
func Some(v Value) Value { return Variant(1, v) }

// OK returns a result that is good; the zero Value where it has no payload.
func OK(v Value) Value { return Variant(0, v) }

// Err returns a result that is an error; the zero Value where it has no payload.
func Err(v Value) Value { return Variant(1, v) }

// Resource returns an own or borrow handle of a resource of the host, which is represented by r: not nil.
func Resource(r any) Value { return Value{ref: r} }

// GuestResource returns an own or borrow handle of a resource that a component defines.
func GuestResource(rep uint32) Value { return Value{bits: uint64(rep)} }

// Bool reads a bool.
func (v Value) Bool() bool { return v.bits != 0 }

// U8 reads a u8. The other numbers likewise.
func (v Value) U8() uint8    { return uint8(v.bits) }
func (v Value) U16() uint16  { return uint16(v.bits) }
func (v Value) U32() uint32  { return uint32(v.bits) }
func (v Value) U64() uint64  { return v.bits }
func (v Value) S8() int8     { return int8(v.bits) }
func (v Value) S16() int16   { return int16(v.bits) }
func (v Value) S32() int32   { return int32(v.bits) }
func (v Value) S64() int64   { return int64(v.bits) }
func (v Value) F32() float32 { return math.Float32frombits(uint32(v.bits)) }
func (v Value) F64() float64 { return math.Float64frombits(v.bits) }

// Char reads a char.
func (v Value) Char() rune { return rune(v.bits) }

// String reads a string.
func (v Value) String() string {
	s, _ := v.text()
	return s
}

// Bytes reads a list<u8>. The slice is the reader's own.
func (v Value) Bytes() []byte {
	b, _ := v.bytes()
	return b
}

// List reads a list of another element type than u8, a record or a tuple.
func (v Value) List() []Value {
	l, _ := v.list()
	return l
}

// Field reads a field of a record, or an element of a tuple or list.
func (v Value) Field(i int) Value { return v.List()[i] }

// Case reads which case a variant or an enum is, by number. An option is 0 for none and 1 for some; a result is 0 for ok.
func (v Value) Case() int { return int(v.bits) }

// Payload reads what the case of a variant holds: the zero Value if nothing.
func (v Value) Payload() Value {
	if p, ok := v.ref.(*Value); ok {
		return *p
	}
	return Value{}
}

// Some reads an option.
func (v Value) Some() (Value, bool) { return v.Payload(), v.bits == 1 }

// OK reads a result: its payload, and whether it is good.
func (v Value) OK() (Value, bool) { return v.Payload(), v.bits == 0 }

// Flags reads flags.
func (v Value) Flags() uint64 { return v.bits }

// Resource reads a handle of a resource of the host: what represents it.
func (v Value) Resource() any { return v.ref }

// Rep reads a handle of a resource that a component defines.
func (v Value) Rep() uint32 { return uint32(v.bits) }

// Equal reports whether two values of the same type are equal; NaNs are if they have the same bits, and resources if they are the same.
func (v Value) Equal(o Value) bool {
	switch v.ref.(type) {
	case *stringData:
		_, ok := o.text()
		return ok && v.String() == o.String()
	case *bytesData:
		_, ok := o.bytes()
		return ok && bytes.Equal(v.Bytes(), o.Bytes())
	case *listData:
		l, ok := o.list()
		return ok && slices.EqualFunc(v.List(), l, Value.Equal)
	case *Value:
		return v.bits == o.bits && v.Payload().Equal(o.Payload())
	}
	if p, ok := o.ref.(*Value); ok {
		return v.bits == o.bits && v.ref == nil && p.isZero()
	}
	return v.bits == o.bits && v.ref == o.ref
}

func (v Value) text() (string, bool) {
	p, ok := v.ref.(*stringData)
	if !ok {
		return "", false
	}
	return unsafe.String((*byte)(p), v.bits&lengthMask), true
}

func (v Value) source() source { return source(v.bits >> sourceShift) }

func (v Value) bytes() ([]byte, bool) {
	p, ok := v.ref.(*bytesData)
	if !ok {
		return nil, false
	}
	return unsafe.Slice((*byte)(p), v.bits), true
}

func (v Value) list() ([]Value, bool) {
	p, ok := v.ref.(*listData)
	if !ok {
		return nil, false
	}
	return unsafe.Slice((*Value)(p), v.bits), true
}
