package weave_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// Pieces of modules with a memory of one page.
const (
	memory   = "\x05\x01\x00\x01"
	exported = "\x07\x01\x01m\x02\x00"                                        // as "m"
	initCode = "\x0a\x01\x0c\x00\x41\x00\x41\x00\x41\x00\xfc\x08\x00\x00\x0b" // memory.init 0
	dropCode = "\x0a\x01\x05\x00\xfc\x09\x00\x0b"                             // data.drop 0
	nopCode  = "\x0a\x01\x02\x00\x0b"
	far      = "\x00\x41\x80\x10\x0b\x01z" // a segment at 2048
)

func TestWhatDataSegmentsGiveAMemoryIsTakenOutOfTheModule(t *testing.T) {
	for name, c := range map[string]struct {
		count, code, data string
		taken, left       int
	}{
		"one":                              {"", nopCode, "\x01\x00\x41\x08\x0b\x02ab", 1, 0},
		"several":                          {"", nopCode, "\x03\x00\x41\x08\x0b\x02ab" + far + "\x00\x41\x0a\x0b\x01c", 3, 0},
		"that overlap, in their order":     {"", nopCode, "\x03\x00\x41\x08\x0b\x03abc\x00\x41\x07\x0b\x02de\x00\x41\x09\x0b\x01f", 3, 0},
		"empty ones":                       {"", nopCode, "\x02\x00\x41\x08\x0b\x00\x00\x41\x0a\x0b\x01c", 2, 0},
		"that name their memory":           {"", nopCode, "\x01\x02\x00\x41\x08\x0b\x01a", 1, 0},
		"at a place that is computed":      {"", nopCode, "\x01\x00\x41\x08\x41\x03\x6c\x41\x02\x6b\x41\x01\x6a\x0b\x01a", 1, 0},
		"with a passive one nobody names":  {"", nopCode, "\x03\x00\x41\x08\x0b\x01a\x01\x01c\x00\x41\x09\x0b\x01b", 3, 0},
		"counted, and none is named":       {"\x0c\x02", nopCode, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x0a\x0b\x01c", 2, 0},
		"named by memory.init":             {"\x0c\x02", initCode, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x0a\x0b\x01c", 2, 2},
		"named by data.drop":               {"\x0c\x03", dropCode, "\x03\x01\x02ab\x00\x41\x0a\x0b\x01c" + far, 3, 3},
		"up to the last byte":              {"", nopCode, "\x02\x00\x41\xfe\xff\x03\x0b\x01a\x00\x41\xff\xff\x03\x0b\x01b", 2, 0},
		"none at all":                      {"", nopCode, "\x00", 0, 0},
		"an empty one just behind the end": {"", nopCode, "\x02\x00\x41\x80\x80\x04\x0b\x00\x00\x41\x08\x0b\x01a", 2, 0},
		"not what traps, nor what follows": {"", nopCode, "\x03\x00\x41\x08\x0b\x01a\x00\x41\x80\x80\x04\x0b\x01b" + far, 1, 2},
		"not an empty one beyond the end":  {"", nopCode, "\x02\x00\x41\x81\x80\x04\x0b\x00\x00\x41\x08\x0b\x01a", 0, 2},
		"not at a place beyond 2 GiB":      {"", nopCode, "\x02\x00\x41\x08\x0b\x01a\x00\x41\x7f\x0b\x01b", 1, 1},
		"half of them, and one is named":   {"\x0c\x02", dropCode, "\x02\x00\x41\x08\x0b\x02ab\x00\x41\x80\x80\x04\x0b\x01c", 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			sections := []string{types, functions[:1] + "\x01\x00", memory, exported}
			if c.count != "" {
				sections = append(sections, c.count)
			}
			plain := module(append(sections, c.code, "\x0b"+c.data)...)
			read, err := weave.Read(plain)
			if err != nil {
				t.Fatal(err)
			}
			segments, taken := read.Data(1<<16, nil)
			if taken != c.taken {
				t.Errorf("%d segments can be taken, want %d", taken, c.taken)
			}
			read.TakeData(taken)
			woven, err := read.Weave()
			if err != nil {
				t.Fatal(err)
			}
			again, err := weave.Read(woven)
			if err != nil {
				t.Fatal(err)
			}
			if got := again.Segments(); got != c.left {
				t.Errorf("%d segments are left, want %d", got, c.left)
			}
			before, errBefore := memoryAtStart(t, plain, nil)
			after, errAfter := memoryAtStart(t, woven, segments)
			if !bytes.Equal(before, after) || (errBefore == nil) != (errAfter == nil) {
				t.Errorf("the memory differs: %v, %v", errBefore, errAfter)
			}
		})
	}
}

func TestDataSegmentsAreAtImportedGlobals(t *testing.T) {
	const (
		imports = "\x02\x03\x01g\x01a\x03\x7f\x00\x01g\x01b\x03\x7f\x01\x01g\x01m\x02\x00\x01" // a, b which can be changed, and a memory
		globals = "\x06\x02\x7f\x00\x23\x00\x41\x05\x6a\x0b\x7e\x00\x42\x07\x0b"               // a + 5, and one of 64 bits
		data    = "\x0b\x03\x00\x41\x08\x0b\x01a\x00\x23\x00\x41\x01\x6a\x0b\x01b\x00\x23\x00\x0b\x01c"
	)
	m, err := weave.Read(module(imports, globals, data))
	if err != nil {
		t.Fatal(err)
	}
	known := func(i int) (int32, bool) { return 100, i == 0 }
	segments, n := m.Data(1<<16, known)
	if len(segments) != 3 || n != 3 || segments[1].At != 101 || segments[2].At != 100 {
		t.Errorf("%d: %v", n, segments)
	}
	if _, n := m.Data(1<<16, func(int) (int32, bool) { return 0, false }); n != 1 {
		t.Errorf("%d segments are taken where it is not known what the global is", n)
	}
	if _, n := m.Data(100, known); n != 1 {
		t.Errorf("%d segments are taken where the memory is too small", n)
	}
	for i, want := range []int32{100, -1, 105, -1} {
		if v, ok := m.GlobalValue(i, known); ok != (want >= 0) || ok && v != want {
			t.Errorf("global %d is %d, %v", i, v, ok)
		}
	}
}

// An active segment has nothing left once it is applied, and a segment that was taken out is as empty.
func TestASegmentThatWasTakenOutBehavesAsOneThatWasApplied(t *testing.T) {
	body := func(code string) string { return string(rune(len(code)+2)) + "\x00" + code + "\x0b" }
	bodies := []string{
		body("\x41\x10\x41\x00\x41\x00\xfc\x08\x00\x00"), // memory.init 0 of no bytes
		body("\x41\x10\x41\x00\x41\x01\xfc\x08\x00\x00"), // of one
		body("\xfc\x09\x00"),                             // data.drop 0
		body("\x41\x10\x41\x00\x41\x02\xfc\x08\x01\x00"), // memory.init 1, the passive one, whole
		body("\xfc\x09\x01"),                             // data.drop 1
	}
	plain := module(types, "\x03\x05\x00\x00\x00\x00\x00", memory,
		"\x07\x06\x01m\x02\x00\x010\x00\x00\x011\x00\x01\x012\x00\x02\x013\x00\x03\x014\x00\x04",
		"\x0c\x02", "\x0a\x05"+strings.Join(bodies, ""), "\x0b\x02\x00\x41\x08\x0b\x02ab\x01\x02cd")
	read, err := weave.Read(plain)
	if err != nil {
		t.Fatal(err)
	}
	segments, n := read.Data(1<<16, nil)
	read.TakeData(n)
	woven, err := read.Weave()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r, i := instance(t, woven, segments)
	defer r.Close(ctx)
	for _, c := range []struct {
		function string
		fails    bool
	}{{"0", false}, {"1", true}, {"2", false}, {"0", false}, {"1", true}, {"3", false}, {"4", false}, {"3", true}} {
		if _, err := i.ExportedFunction(c.function).Call(ctx); (err != nil) != c.fails {
			t.Errorf("function %s: %v", c.function, err)
		}
	}
	if b, _ := i.Memory().Read(8, 10); string(b) != "ab\x00\x00\x00\x00\x00\x00cd" {
		t.Errorf("%q", b)
	}
}

// prepared is a memory that begins with what segments give it.
type prepared struct{ space []byte }

func prepare(segments []weave.Segment) *prepared {
	p := &prepared{make([]byte, 1<<16)}
	for _, s := range segments {
		copy(p.space[s.At:], s.Bytes)
	}
	return p
}

func (p *prepared) Allocate(_, _ uint64) experimental.LinearMemory { return p }
func (p *prepared) Reallocate(size uint64) []byte                  { return p.space[:size] }
func (p *prepared) Free()                                          {}

// memoryAtStart is what the memory of a fresh instance holds.
func memoryAtStart(t *testing.T, wasm []byte, segments []weave.Segment) ([]byte, error) {
	t.Helper()
	ctx := context.Background()
	p := prepare(segments)
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	defer r.Close(ctx)
	provideYield(t, r)
	_, err := r.InstantiateWithConfig(experimental.WithMemoryAllocator(ctx, p), wasm, wazero.NewModuleConfig().WithStartFunctions())
	return p.space, err
}

func instance(t *testing.T, wasm []byte, segments []weave.Segment) (wazero.Runtime, api.Module) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	provideYield(t, r)
	i, err := r.InstantiateWithConfig(experimental.WithMemoryAllocator(ctx, prepare(segments)), wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	return r, i
}

func provideYield(t *testing.T, r wazero.Runtime) {
	t.Helper()
	_, err := r.NewHostModuleBuilder(weave.YieldModule).NewFunctionBuilder().WithFunc(func() {}).Export(weave.YieldName).Instantiate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
}
