package abi

// The NaNs that all others become. Canonical ABI, "Loading".
const (
	canonicalNaN32 = 0x7fc00000
	canonicalNaN64 = 0x7ff8000000000000
)

func canonicalizeNaN32(bits uint32) uint32 {
	if bits&0x7fffffff > 0x7f800000 {
		return canonicalNaN32
	}
	return bits
}

func canonicalizeNaN64(bits uint64) uint64 {
	if bits&0x7fffffffffffffff > 0x7ff0000000000000 {
		return canonicalNaN64
	}
	return bits
}

// liftChar is the specification's convert_i32_to_char.
func liftChar(c uint32) (Value, error) {
	if !validChar(c) {
		return Value{}, trap("invalid char bit pattern 0x%x", c)
	}
	return Char(rune(c)), nil
}

func validChar(c uint32) bool { return c < 0xd800 || c > 0xdfff && c < 0x110000 }
