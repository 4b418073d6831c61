package wasmgen

import (
	"encoding/binary"
	"math"
)

// code is a piece of a module.
type code []byte

func (c *code) byte(b ...byte) { *c = append(*c, b...) }

func (c *code) u32(v int) { *c = binary.AppendUvarint(*c, uint64(uint32(v))) }

func (c *code) s64(v int64) {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			c.byte(b)
			return
		}
		c.byte(b | 0x80)
	}
}

func (c *code) name(s string) {
	c.u32(len(s))
	*c = append(*c, s...)
}

func (c *code) sized(b code) {
	c.u32(len(b))
	c.byte(b...)
}

// section appends a section of n items.
func (c *code) section(id byte, n int, items code) {
	if n == 0 {
		return
	}
	var body code
	body.u32(n)
	body.byte(items...)
	c.byte(id)
	c.sized(body)
}

func (c *code) i32(v int) {
	c.byte(opI32Const)
	c.s64(int64(int32(v)))
}

// constant appends an instruction that makes a value of any bits.
func (c *code) constant(t byte, bits uint64) {
	switch t {
	case I32:
		c.i32(int(int32(bits)))
	case I64:
		c.byte(opI64Const)
		c.s64(int64(bits))
	case F32:
		c.byte(opF32Const)
		*c = binary.LittleEndian.AppendUint32(*c, math.Float32bits(float32(int32(bits))/8))
	case F64:
		c.byte(opF64Const)
		*c = binary.LittleEndian.AppendUint64(*c, math.Float64bits(float64(int64(bits))/8))
	case V128:
		c.byte(opVector)
		c.u32(vectorConst)
		*c = binary.LittleEndian.AppendUint64(*c, bits)
		*c = binary.LittleEndian.AppendUint64(*c, bits*0x9e3779b97f4a7c15)
	default:
		c.byte(opRefNull, t)
	}
}

func (c *code) op(op byte, index int) {
	c.byte(op)
	c.u32(index)
}

func (c *code) bulk(sub int, indices ...int) {
	c.byte(opBulk)
	c.u32(sub)
	for _, i := range indices {
		c.u32(i)
	}
}
