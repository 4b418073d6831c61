package instance

import (
	"errors"
	"testing"
)

// TestTrapsOfIndirectCallsReadAsTheEngineWritesThem calls through a table that has become code.
func TestTrapsOfIndirectCallsReadAsTheEngineWritesThem(t *testing.T) {
	module := []byte("\x00asm\x01\x00\x00\x00" +
		"\x01\x09\x02" + "\x60\x00\x00" + "\x60\x01\x7f\x01\x7f" + // () -> (), (i32) -> (i32)
		"\x03\x04\x03" + "\x00\x01\x01" +
		"\x04\x04\x01\x70\x00\x04" + // a table of four
		"\x07\x07\x01\x03run\x00\x01" +
		"\x09\x08\x01\x00\x41\x01\x0b\x02\x00\x02" + // at 1: the first function and the third
		"\x0a\x14\x03" + "\x02\x00\x0b" + "\x09\x00\x20\x00\x20\x00\x11\x01\x00\x0b" + "\x05\x00\x00\x41\x00\x0b")
	i := group(t, Limits{}, GroupSpec{Parts: []Part{{Wasm: module, Name: "part"}}})
	for index, want := range map[uint64]TrapError{
		0:          {Reason: "invalid table access", Stack: "part.run(i32) i32"},
		1:          {Reason: "indirect call type mismatch", Stack: "part.run(i32) i32"},
		2:          {Reason: "unreachable", Stack: "part.$2(i32) i32\npart.run(i32) i32"},
		3:          {Reason: "invalid table access", Stack: "part.run(i32) i32"},
		4:          {Reason: "invalid table access", Stack: "part.run(i32) i32"},
		0xffffffff: {Reason: "invalid table access", Stack: "part.run(i32) i32"},
	} {
		_, err := invoke(t, i, 0, "run", index)
		if trap := (*TrapError)(nil); !errors.As(err, &trap) || *trap != want {
			t.Errorf("index %d: %#v, want %#v", index, err, want)
		}
	}
}

// TestRecursionThroughATableEnds recurses without an end through a table that has become code. The functions that were added for that check
// nothing.
func TestRecursionThroughATableEnds(t *testing.T) {
	module := []byte("\x00asm\x01\x00\x00\x00" +
		"\x01\x06\x01\x60\x01\x7f\x01\x7f" +
		"\x03\x02\x01\x00" +
		"\x04\x04\x01\x70\x00\x01" +
		"\x07\x07\x01\x03run\x00\x00" +
		"\x09\x07\x01\x00\x41\x00\x0b\x01\x00" +
		"\x0a\x0e\x01\x0c\x00\x20\x00\x41\x00\x11\x00\x00\x41\x01\x6a\x0b")
	i := group(t, Limits{}, GroupSpec{Parts: []Part{{Wasm: module, Name: "part"}}})
	for range 2 {
		_, err := invoke(t, i, 0, "run", 1)
		if trap := (*TrapError)(nil); !errors.As(err, &trap) || trap.Reason != "stack overflow" {
			t.Errorf("%v", err)
		}
	}
}
