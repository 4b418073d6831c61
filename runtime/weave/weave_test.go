package weave_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// module puts sections together: the id, then the contents.
func module(sections ...string) []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		b = append(b, s[0])
		n := len(s) - 1
		for ; n >= 0x80; n >>= 7 {
			b = append(b, byte(n)|0x80)
		}
		b = append(append(b, byte(n)), s[1:]...)
	}
	return b
}

const (
	types     = "\x01\x01\x60\x00\x00" // () -> ()
	functions = "\x03\x01\x00"
)

func TestWhatStatesLargeNumbersIsRefused(t *testing.T) {
	const billions = "\xff\xff\xff\xff\x0f"
	for name, c := range map[string]struct {
		wasm []byte
		says string
	}{
		"a section longer than the file":        {module("\x01" + "")[:9], "unexpected end"},
		"a number of more than 32 bits":         {module("\x01\xff\xff\xff\xff\x7f"), "larger than 32 bits"},
		"billions of types":                     {module("\x01" + billions), "types: at most"},
		"more types than bytes":                 {module("\x01\x7f\x60"), "127 types announced"},
		"billions of functions":                 {module(types, "\x03"+billions), "functions: at most"},
		"a table of billions of entries":        {module("\x04\x01\x70\x00" + billions), "tables with more than"},
		"many tables that are large together":   {module("\x04\x02\x70\x00\x80\x80\x20\x70\x00\x80\x80\x21"), "tables with more than"},
		"two memories":                          {module("\x05\x02\x00\x01\x00\x01"), "several memories"},
		"a memory of 64 bits":                   {module("\x05\x01\x04\x01"), "64 bits"},
		"billions of local variables":           {module(types, functions, "\x0a\x01\x08\x01"+billions+"\x7f\x0b"), "local variables"},
		"billions of labels":                    {module(types, functions, "\x0a\x01\x08\x00\x0e"+billions+"\x0b"), "labels: at most"},
		"a function it has not":                 {module(types, functions, "\x0a\x01\x04\x00\x10\x01\x0b"), "function 1: there are 1"},
		"a global it has not":                   {module(types, functions, "\x0a\x01\x05\x00\x23\x00\x1a\x0b"), "global 0: there are 0"},
		"a type it has not":                     {module(types, functions, "\x0a\x01\x05\x00\x02\x01\x0b\x0b"), "type 1: there are 1"},
		"a local variable it has not":           {module(types, functions, "\x0a\x01\x05\x00\x20\x00\x1a\x0b"), "local variable 0: there are 0"},
		"an instruction nobody knows":           {module(types, functions, "\x0a\x01\x03\x00\xff\x0b"), "instruction 0xff: not known"},
		"exceptions":                            {module(types, functions, "\x0a\x01\x04\x00\x06\x40\x0b"), "exceptions are not supported"},
		"a function without its end":            {module(types, functions, "\x0a\x01\x02\x00\x01"), "unexpected end"},
		"bytes behind the end of a function":    {module(types, functions, "\x0a\x01\x03\x00\x0b\x0b"), "behind the end"},
		"functions without code":                {module(types, functions), "without code"},
		"code without functions":                {module(types, "\x0a\x01\x02\x00\x0b"), "where 0 are declared"},
		"sections in the wrong order":           {module(functions, types), "in the wrong place"},
		"a section twice":                       {module(types, types), "for the second time"},
		"a section nobody knows":                {module("\x0e"), "section 14: not supported"},
		"a name that is no text":                {module("\x07\x01\x01\xff\x00\x00"), "not UTF-8"},
		"the export that the weaving adds":      {module(types, functions, "\x07\x01\x0cmayfly:start\x00\x00", "\x0a\x01\x02\x00\x0b"), "reserved"},
		"a global that begins as another":       {module("\x06\x02\x7f\x00\x41\x01\x0b\x7f\x00\x23\x00\x0b"), "as an imported one only"},
		"a constant that can change":            {module("\x02\x01\x01m\x01g\x03\x7f\x01", "\x06\x01\x7f\x00\x23\x00\x0b"), "not constant"},
		"a start function that takes arguments": {module("\x01\x01\x60\x01\x7f\x00", functions, "\x08\x00"), "must take nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := weave.Read(c.wasm)
			if err == nil {
				_, err = m.Weave()
			}
			var e *weave.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q in it", err, c.says)
			}
		})
	}
}

func TestTheErrorSaysWhere(t *testing.T) {
	_, err := weave.Read(module(types, functions, "\x0a\x01\x06\x00\x01\x01\xff\x0b\x0b"))
	if err != nil {
		t.Fatal(err) // bodies are read when they are woven
	}
	m, _ := weave.Read(module(types, functions, "\x0a\x01\x06\x00\x01\x01\xff\x0b\x0b"))
	_, err = m.Weave()
	if want := "at byte 0x19, in the code section: instruction 0xff: not known"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestEveryCutIsAnError(t *testing.T) {
	for _, guest := range []string{"echo", "residue-table"} {
		wasm := guests.Wasm(guest)
		m, err := weave.Read(wasm)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := m.Weave()
		if err != nil || len(whole) < len(wasm)/2 {
			t.Fatal(len(whole), err)
		}
		for n := range wasm {
			if m, err := weave.Read(wasm[:n]); err == nil {
				_, _ = m.Weave() // a whole number of sections may be left
			}
		}
	}
}

func TestAFunctionWithoutNameIsCalledAsItIsExported(t *testing.T) {
	m, err := weave.Read(module(types, functions, "\x07\x01\x06_start\x00\x00", "\x0a\x01\x02\x00\x0b"))
	if err != nil {
		t.Fatal(err)
	}
	woven, err := m.Weave()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	compiled, err := r.CompileModule(ctx, woven)
	if err != nil {
		t.Fatal(err)
	}
	if f := compiled.ExportedFunctions()["_start"]; f == nil || f.Name() != "_start" {
		t.Errorf("_start is called %v", f)
	}
}

// BenchmarkWeave asks what the weaving adds to a load.
func BenchmarkWeave(b *testing.B) {
	wasm := guests.Wasm("simd")
	b.SetBytes(int64(len(wasm)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := weave.Read(wasm)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Weave(); err != nil {
			b.Fatal(err)
		}
	}
}
