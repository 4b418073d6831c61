package instance

import "testing"

// TestTheLargestMemoryCanBeUsed grows a memory as far as it goes and writes to its last byte, in slots that were used before.
func TestTheLargestMemoryCanBeUsed(t *testing.T) {
	const module = "\x00asm\x01\x00\x00\x00" +
		"\x01\x04\x01\x60\x00\x00" +
		"\x03\x02\x01\x00" +
		"\x05\x03\x01\x00\x01" + // 1 page
		"\x07\x13\x02\x06_start\x00\x00\x06memory\x02\x00" +
		"\x0a\x2c\x01\x2a\x00" +
		"\x03\x40\x41\x01\x40\x00\x41\x7f\x47\x0d\x00\x0b" + // loop: memory.grow by 1 until it is -1
		"\x3f\x00\x41\x10\x74\x41\x01\x6b" + // the address of the last byte
		"\x2d\x00\x00\x04\x40\x00\x0b" + // unreachable unless it is 0
		"\x3f\x00\x41\x10\x74\x41\x01\x6b\x41\x07\x3a\x00\x00" + // it becomes 7
		"\x0b"
	r := newTestRuntime(t, Limits{Memory: maxMemory})
	m, err := r.Load(t.Context(), []byte(module))
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := run(t, t.Context(), m, Call{}); err != nil {
			t.Fatal(err)
		}
	}
}
