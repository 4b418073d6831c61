package weave_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// vector is a count and the items.
func vector(items ...string) string { return number(len(items)) + strings.Join(items, "") }

func number(n int) string {
	b := []byte{}
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n)))
}

// code is a function without local variables.
func code(body string) string { return number(len(body)+2) + "\x00" + body + "\x0b" }

func i32(n int) string {
	b := []byte{0x41}
	for {
		c := byte(n & 0x7f)
		if n >>= 7; n == 0 && c&0x40 == 0 {
			return string(append(b, c))
		}
		b = append(b, c|0x80)
	}
}

const (
	nothing = "\x60\x00\x00"         // () -> ()
	inOut   = "\x60\x01\x7f\x01\x7f" // (i32) -> (i32)
)

func TestTablesThatNobodySeesAndNobodyChangesBecomeCode(t *testing.T) {
	const (
		call    = "\x41\x00\x11\x00\x00"          // call_indirect 0, type 0
		segment = "\x00\x41\x00\x0b" + "\x01\x00" // at 0: function 0
		two     = "two tables"
	)
	for name, c := range map[string]struct {
		imports, table, global, export, elements, code string
		kept                                           []string
		entries                                        int // of tables and segments, in the woven module
	}{
		"a table that is called through":             {elements: vector(segment), code: call},
		"one with two segments, one over the other":  {elements: vector(segment, "\x00\x41\x00\x0b"+vector("\x00", "\x00")), code: call},
		"a segment of expressions, one of them null": {elements: vector("\x04\x41\x00\x0b" + vector("\xd0\x70\x0b", "\xd2\x00\x0b")), code: call},
		"a segment that names its table":             {elements: vector("\x02\x00\x41\x00\x0b\x00" + vector("\x00")), code: call},
		"a segment that names table and type":        {elements: vector("\x06\x00\x41\x00\x0b\x70" + vector("\xd2\x00\x0b")), code: call},
		"a table that is full":                       {elements: vector("\x00\x41\x00\x0b" + vector("\x00", "\x00", "\x00")), code: call},
		"a table without elements":                   {code: call},
		"a table that is measured":                   {elements: vector(segment), code: call + "\xfc\x10\x00\x1a"},
		"a table that is exported":                   {export: "\x01t\x01\x00", elements: vector(segment), code: call, entries: 4},
		"one that is exported and not asked for":     {export: "\x01t\x01\x00", kept: []string{"f"}, elements: vector(segment), code: call},
		"one that is exported and asked for":         {export: "\x01t\x01\x00", kept: []string{"t"}, elements: vector(segment), code: call, entries: 4},
		"a table that is imported":                   {imports: "\x01\x01m\x01t\x01\x70\x00\x03", elements: vector(segment), code: call, table: "none", entries: 4},
		"table.get":                                  {elements: vector(segment), code: call + "\x41\x00\x25\x00\x1a", entries: 4},
		"table.set":                                  {elements: vector(segment), code: call + "\x41\x00\xd0\x70\x26\x00", entries: 4},
		"table.grow":                                 {elements: vector(segment), code: call + "\xd0\x70\x41\x00\xfc\x0f\x00\x1a", entries: 4},
		"table.fill":                                 {elements: vector(segment), code: call + "\x41\x00\xd0\x70\x41\x00\xfc\x11\x00", entries: 4},
		"table.copy":                                 {elements: vector(segment), code: call + "\x41\x00\x41\x00\x41\x00\xfc\x0e\x00\x00", entries: 4},
		"table.init":                                 {elements: vector(segment, "\x01\x00"+vector("\x00")), code: call + "\x41\x00\x41\x00\x41\x00\xfc\x0c\x01\x00", entries: 5},
		"elem.drop":                                  {elements: vector(segment, "\x01\x00"+vector("\x00")), code: call + "\xfc\x0d\x01", entries: 1},
		"elem.drop of its segment":                   {elements: vector(segment), code: call + "\xfc\x0d\x00"},
		"table.copy of another table":                {table: two, elements: vector(segment), code: call + "\x41\x00\x41\x00\x41\x00\xfc\x0e\x01\x01", entries: 1},
		"the second of two tables": {table: two, elements: vector(segment, "\x02\x01\x41\x00\x0b\x00"+vector("\x00")),
			code: call + "\x41\x00\x25\x00\x1a" + "\x41\x00\x11\x00\x01", entries: 4},
		"a segment that does not fit": {elements: vector("\x00\x41\x03\x0b" + vector("\x00")), code: call, entries: 4},
		"a segment behind one that does not fit": {table: two, elements: vector("\x02\x01\x41\x01\x0b\x00"+vector("\x00"), segment),
			code: call, entries: 6},
		"a segment before one that does not fit": {table: two, elements: vector(segment, "\x02\x01\x41\x01\x0b\x00"+vector("\x00")),
			code: call, entries: 2},
		"an empty segment that does not fit":       {elements: vector("\x00\x41\x04\x0b" + vector()), code: call},
		"a segment whose place a global tells":     {global: "\x01\x7f\x00\x41\x00\x0b", elements: vector("\x00\x23\x00\x0b" + vector("\x00")), code: call, entries: 4},
		"a segment at a place that is computed":    {elements: vector("\x00\x41\x01\x41\x00\x6a\x0b" + vector("\x00")), code: call, entries: 4},
		"a reference to what its segment declares": {elements: vector(segment), code: call + "\xd2\x00\x1a", entries: 1},
		"a reference to what an export declares":   {export: "\x01t\x00\x00", kept: []string{}, code: "\xd2\x00\x1a", entries: 1},
		"many tables' worth of elements": {table: "\x70\x00\x80\x80\x08", elements: vector("\x00\x41\x00\x0b" + number(70_000) + strings.Repeat("\x00", 70_000)),
			code: call, entries: 1<<17 + 70_000},
	} {
		t.Run(name, func(t *testing.T) {
			sections := []string{"\x01" + vector(nothing)}
			add := func(id byte, contents string) {
				if contents != "" {
					sections = append(sections, string(id)+contents)
				}
			}
			add(2, c.imports)
			sections = append(sections, "\x03"+vector("\x00"))
			switch c.table {
			case "":
				add(4, vector("\x70\x00\x03"))
			case two:
				add(4, vector("\x70\x00\x03", "\x70\x00\x01"))
			case "none":
			default:
				add(4, vector(c.table))
			}
			add(6, c.global)
			if c.export != "" {
				add(7, vector("\x01f\x00\x00", c.export))
			}
			add(9, c.elements)
			add(10, vector(code(c.code)))
			plain := module(sections...)
			if err := compile(plain); err != nil {
				t.Fatalf("the module is wrong: %v", err)
			}
			m, err := weave.Read(plain)
			if err != nil {
				t.Fatal(err)
			}
			if c.kept != nil {
				names := map[string]bool{}
				for _, name := range c.kept {
					names[name] = true
				}
				m.Keep(names)
			}
			woven, err := m.Weave()
			if err != nil {
				t.Fatal(err)
			}
			if err := compile(woven); err != nil {
				t.Fatalf("the engine refuses it: %v", err)
			}
			again, err := weave.Read(woven)
			if err != nil {
				t.Fatal(err)
			}
			if got := again.Entries(); got != c.entries {
				t.Errorf("%d entries, want %d", got, c.entries)
			}
		})
	}
}

// TestADispatchFunctionDoesWhatTheTableDid calls through random tables: dense and sparse ones, with functions that are there more than once,
// of several types, some of which are the same.
func TestADispatchFunctionDoesWhatTheTableDid(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 40 {
		size := 1 + random.IntN(1<<random.IntN(12))
		wasm := throughTable(random, size)
		before, after := newWorld(t, asItIs), newWorld(t, woven)
		plain, err := before.instantiate(wasm, "")
		if err != nil {
			t.Fatal(err)
		}
		dispatching, err := after.instantiate(wasm, "")
		if err != nil {
			t.Fatal(err)
		}
		indices := []int{-1, size, size + 1, 1 << 31, 1<<31 - 1}
		for range 2 * min(size, 200) {
			indices = append(indices, random.IntN(size))
		}
		for _, index := range indices {
			for typ := range 4 {
				name := fmt.Sprintf("call%d", typ)
				call := func(m api.Module) string {
					values, err := m.ExportedFunction(name).Call(context.Background(), 7, uint64(uint32(index)))
					return fmt.Sprintf("%s %v", outcome(err), values)
				}
				want, got := call(plain), call(dispatching)
				if got != want {
					t.Fatalf("table %d of %d entries, type %d, index %d: %s as it is, %s when woven", n, size, typ, index, want, got)
				}
			}
		}
	}
}

// throughTable makes a module with a table, and a function for each of four types, the first two of which are the same, that calls through it.
func throughTable(random *rand.Rand, size int) []byte {
	types := []string{inOut, inOut, "\x60\x01\x7e\x01\x7f", "\x60\x02\x7f\x7e\x01\x7f", "\x60\x02\x7f\x7f\x01\x7f"}
	params := []string{"\x20\x00", "\x20\x00", "\x20\x00\xad", "\x20\x00\x42\x05"}
	var functions, bodies, exports []string
	for range 1 + random.IntN(300) {
		functions = append(functions, number(random.IntN(4)))
		bodies = append(bodies, code(i32(len(functions))))
	}
	targets := len(functions)
	for typ, params := range params {
		exports = append(exports, fmt.Sprintf("\x05call%d\x00%s", typ, number(len(functions))))
		functions = append(functions, "\x04")
		bodies = append(bodies, code(params+"\x20\x01\x11"+number(typ)+"\x00"))
	}
	var segments []string
	for at := 0; at < size; {
		var elements []string
		for range 1 + random.IntN(min(size-at, 1+random.IntN(300))) {
			elements = append(elements, number(random.IntN(targets)))
		}
		segments = append(segments, "\x00"+i32(at)+"\x0b"+vector(elements...))
		at += len(elements) + random.IntN(1<<random.IntN(8))
	}
	return module("\x01"+vector(types...), "\x03"+vector(functions...), "\x04"+vector("\x70\x00"+number(size)), "\x07"+vector(exports...),
		"\x09"+vector(segments...), "\x0a"+vector(bodies...))
}

// TestFunctionsOfManyParametersStayInTheirTable: to pass on a thousand parameters takes a thousand instructions, for each entry.
func TestFunctionsOfManyParametersStayInTheirTable(t *testing.T) {
	const params, size = 1000, 1 << 12
	m, err := weave.Read(module("\x01"+vector("\x60"+number(params)+strings.Repeat("\x7f", params)+"\x00"), "\x03"+vector("\x00"),
		"\x04"+vector("\x70\x00"+number(size)), "\x09"+vector("\x00\x41\x00\x0b"+number(size)+strings.Repeat("\x00", size)),
		"\x0a"+vector(code("\x00\x11\x00\x00"))))
	if err != nil {
		t.Fatal(err)
	}
	if woven, err := m.Weave(); err != nil || len(woven) > 16<<10 {
		t.Errorf("%d bytes, %v", len(woven), err)
	}
}

func TestScatteredTablesStay(t *testing.T) {
	const distance, size = 100, 3000
	var segments []string
	for n := range size {
		segments = append(segments, "\x00"+i32(n*distance)+"\x0b"+vector("\x00"))
	}
	m, err := weave.Read(module("\x01"+vector(nothing), "\x03"+vector("\x00"), "\x04"+vector("\x70\x00"+number(size*distance)),
		"\x09"+vector(segments...), "\x0a"+vector(code("\x41\x00\x11\x00\x00"))))
	if err != nil {
		t.Fatal(err)
	}
	woven, err := m.Weave()
	if err != nil {
		t.Fatal(err)
	}
	again, err := weave.Read(woven)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Entries(); got != size*distance+size {
		t.Errorf("%d entries", got)
	}
}

// TestManyTypesInALargeTable takes long when the table is looked through for each type, and ten times that when there are ten times as many.
func TestManyTypesInALargeTable(t *testing.T) {
	const count, bits, size = 1 << 14, 14, 1 << 19
	types := []string{nothing}
	body := &strings.Builder{}
	for n := range count {
		typ := []byte{0x60, bits}
		for bit := range bits {
			typ = append(typ, 0x7f-byte(n>>bit&1)) // i32 or i64
		}
		types = append(types, string(append(typ, 0)))
		body.WriteString("\x00\x11" + number(1+n) + "\x00") // unreachable, call_indirect
	}
	m, err := weave.Read(module("\x01"+vector(types...), "\x03"+vector("\x00"), "\x04"+vector("\x70\x00"+number(size)),
		"\x09"+vector("\x00"+i32(size-1)+"\x0b"+vector("\x00")), "\x0a"+vector(code(body.String()))))
	if err != nil {
		t.Fatal(err)
	}
	if woven, err := m.Weave(); err != nil || len(woven) > 2<<20 {
		t.Errorf("%d bytes, %v", len(woven), err)
	}
}

// TestManyRunsStayInTheirTable has every other entry hold a function.
func TestManyRunsStayInTheirTable(t *testing.T) {
	var segments []string
	for n := range 1 << 14 {
		segments = append(segments, "\x00"+i32(2*n)+"\x0b"+vector("\x00"))
	}
	m, err := weave.Read(module("\x01"+vector(nothing), "\x03"+vector("\x00"), "\x04"+vector("\x70\x00"+number(1<<15)),
		"\x09"+vector(segments...), "\x0a"+vector(code("\x00\x11\x00\x00"))))
	if err != nil {
		t.Fatal(err)
	}
	if woven, err := m.Weave(); err != nil || len(woven) > 256<<10 {
		t.Errorf("%d bytes, %v", len(woven), err)
	}
}

func TestWhatIsExportedForNobodyIsLeftOut(t *testing.T) {
	m, err := weave.Read(module("\x01"+vector(nothing), "\x03"+vector("\x00"), "\x05\x01\x00\x01",
		"\x07"+vector("\x01f\x00\x00", "\x01g\x00\x00", "\x01m\x02\x00"), "\x0a"+vector(code(""))))
	if err != nil {
		t.Fatal(err)
	}
	m.Keep(map[string]bool{"g": true, "h": true})
	woven, err := m.Weave()
	if err != nil {
		t.Fatal(err)
	}
	again, err := weave.Read(woven)
	if err != nil {
		t.Fatal(err)
	}
	if all := again.Exports(); len(all) != 2 || all[0].Name != "g" || all[1].Name != weave.CanaryName {
		t.Errorf("%+v", all)
	}
}

func TestTrapsAreToldByTheNameOfAFunction(t *testing.T) {
	for name, want := range map[string]string{
		"main." + weave.AddedName + ": invalid table access":    "invalid table access",
		"." + weave.AddedName + ": indirect call type mismatch": "indirect call type mismatch",
		weave.AddedName:                      "",
		weave.AddedName + ": no such reason": "",
		"invalid table access":               "",
	} {
		if got := weave.Trap(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
