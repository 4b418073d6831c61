package weave_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

func TestDataSegmentsAreJoinedWhereNobodyCanTell(t *testing.T) {
	const (
		memory   = "\x05\x01\x00\x01"                                                 // one page
		exported = "\x07\x01\x01m\x02\x00"                                            // as "m"
		init     = "\x0a\x0e\x01\x0c\x00\x41\x00\x41\x00\x41\x00\xfc\x08\x00\x00\x0b" // memory.init 0
		drop     = "\x0a\x07\x01\x05\x00\xfc\x09\x00\x0b"                             // data.drop 0
		nop      = "\x0a\x04\x01\x02\x00\x0b"
	)
	far := "\x00\x41\x80\x10\x0b\x01z" // at 2048
	for name, c := range map[string]struct {
		count, code, data string
		want              int // segments
	}{
		"neighbours are one":                 {"", nop, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x0a\x0b\x01c", 1},
		"what is near is one, with zeroes":   {"", nop, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\xc8\x00\x0b" + "\x40" + strings.Repeat("c", 64), 1},
		"zeroes do not outweigh the rest":    {"", nop, "\x02\x00\x41\x00\x0b\x01a\x00\x41\xc8\x00\x0b\x01b", 2},
		"what is far away is another":        {"", nop, "\x02\x00\x41\x08\x0b\x02ab" + far, 2},
		"segments that overlap stay":         {"", nop, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x09\x0b\x01c", 2},
		"segments out of order are sorted":   {"", nop, "\x03" + far + "\x00\x41\x0a\x0b\x02cd\x00\x41\x08\x0b\x02ab", 2},
		"empty segments go":                  {"", nop, "\x02\x00\x41\x08\x0b\x00\x00\x41\x0a\x0b\x01c", 1},
		"a passive segment: all stay":        {"", nop, "\x03\x00\x41\x08\x0b\x01a\x00\x41\x09\x0b\x01b\x01\x01c", 3},
		"counted segments, and none named":   {"\x0c\x02", nop, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x0a\x0b\x01c", 1},
		"memory.init names them: all stay":   {"\x0c\x02", init, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x0a\x0b\x01c", 2},
		"data.drop names them: all stay":     {"\x0c\x02", drop, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x0a\x0b\x01c", 2},
		"the last byte of the memory":        {"", nop, "\x02\x00\x41\xfe\xff\x03\x0b\x01a\x00\x41\xff\xff\x03\x0b\x01b", 1},
		"none at all":                        {"", nop, "\x00", 0},
		"at a place beyond 2 GiB: they trap": {"", nop, "\x02\x00\x41\x08\x0b\x01a\x00\x41\x7f\x0b\x01b", 2},
		"beyond the memory: they trap":       {"", nop, "\x02\x00\x41\x08\x0b\x01a\x00\x41\x80\x80\x04\x0b\x01b", 2},
	} {
		t.Run(name, func(t *testing.T) {
			sections := []string{types, functions[:1] + "\x01\x00", memory, exported}
			if c.count != "" {
				sections = append(sections, c.count)
			}
			plain := module(append(sections, "\x0a"+c.code[2:], "\x0b"+c.data)...)
			read, err := weave.Read(plain)
			if err != nil {
				t.Fatal(err)
			}
			woven, err := read.Weave()
			if err != nil {
				t.Fatal(err)
			}
			again, err := weave.Read(woven)
			if err != nil {
				t.Fatal(err)
			}
			if got := again.Items() - 2; got != c.want { // less the yield import and the fuel
				t.Errorf("%d segments, want %d", got, c.want)
			}
			before, errBefore := memoryAtStart(t, plain)
			after, errAfter := memoryAtStart(t, woven)
			if !bytes.Equal(before, after) || (errBefore == nil) != (errAfter == nil) {
				t.Errorf("the memory differs: %v, %v", errBefore, errAfter)
			}
		})
	}
}

// memoryAtStart is what the memory of a fresh instance holds.
func memoryAtStart(t *testing.T, wasm []byte) ([]byte, error) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	if _, err := r.NewHostModuleBuilder(weave.YieldModule).NewFunctionBuilder().WithFunc(func() {}).Export(weave.YieldName).Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	i, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return nil, err
	}
	b, _ := i.Memory().Read(0, i.Memory().Size())
	return bytes.Clone(b), nil
}
