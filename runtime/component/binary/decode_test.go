package binary_test

import (
	stdbinary "encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/internal/encode"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// shortcuts for what the tests write most.
var (
	cat  = encode.Cat
	name = encode.Name
	raw  = encode.Bytes
)

// section is a component of a single section.
func section(id byte, definitions ...[]byte) []byte {
	return encode.Component(encode.Section(id, definitions...))
}

func TestDefinitionsAreDecodedAsTheyStand(t *testing.T) {
	const at = binary.Pos(len(encode.Preamble) + 3) // after the id, the size and the count
	four := uint32(4)
	u8, str := binary.Primitive(types.U8), binary.Primitive(types.String)
	for _, tt := range []struct {
		name string
		wasm []byte
		want binary.Definition
	}{
		{"instance of a core module", section(encode.CoreInstance, cat(raw(0, 1), encode.Vec(cat(name("env"), raw(0x12, 2))))),
			&binary.CoreInstantiate{Pos: at, Module: 1, Args: []binary.CoreArg{{Name: "env", Instance: 2}}}},
		{"core instance of exports", section(encode.CoreInstance, cat(raw(1), encode.Vec(cat(name("m"), raw(2, 3))))),
			&binary.CoreInline{Pos: at, Exports: []binary.InlineExport{{
				ExternName: binary.ExternName{Name: "m"}, SortIndex: binary.SortIndex{Sort: binary.SortCoreMemory, Index: 3}}}}},
		{"core type of a function", section(encode.CoreType, raw(0x60, 1, 0x7f, 2, 0x7e, 0x70)),
			&binary.CoreType{Pos: at, Func: &binary.CoreFuncType{Params: "\x7f", Results: "\x7e\x70"}}},
		{"instance of a component", section(encode.Instance, cat(raw(0, 1), encode.Vec(cat(name("f"), raw(1, 2))))),
			&binary.Instantiate{Pos: at, Component: 1, Args: []binary.Arg{{Name: "f", SortIndex: binary.SortIndex{Sort: binary.SortFunc, Index: 2}}}}},
		{"alias of a core module that an instance exports", section(encode.Alias, cat(raw(0, 0x11, 0, 4), name("m"))),
			&binary.AliasExport{Pos: at, Sort: binary.SortCoreModule, Instance: 4, Name: "m"}},
		{"alias of a core export", section(encode.Alias, cat(raw(0, 1, 1, 4), name("t"))),
			&binary.AliasCoreExport{Pos: at, Sort: binary.SortCoreTable, Instance: 4, Name: "t"}},
		{"outer alias", section(encode.Alias, raw(3, 2, 1, 7)),
			&binary.AliasOuter{Pos: at, Sort: binary.SortType, Count: 1, Index: 7}},
		{"type of a function", section(encode.Type, encode.Func(raw(0x73), encode.Field("n", 0x7d))),
			&binary.Type{Pos: at, Func: &binary.FuncType{Params: []binary.Field{{Name: "n", Type: u8}}, Result: str}}},
		{"variant", section(encode.Type, cat(raw(0x71), encode.Vec(cat(name("a"), raw(0, 0)), cat(name("b"), raw(1, 4, 0))))),
			&binary.Type{Pos: at, Value: &binary.ValueType{Kind: types.Variant, Cases: []binary.Field{
				{Name: "a", Type: binary.NoType}, {Name: "b", Type: binary.Ref(4)}}}}},
		{"list of fixed length", section(encode.Type, raw(0x67, 0x7d, 4)),
			&binary.Type{Pos: at, Value: &binary.ValueType{Kind: types.List, Elem: u8, Length: 4, Fixed: true}}},
		{"result without payloads", section(encode.Type, raw(0x6a, 0, 0)),
			&binary.Type{Pos: at, Value: &binary.ValueType{Kind: types.Result, OK: binary.NoType, Err: binary.NoType}}},
		{"resource type", section(encode.Type, raw(0x3f, 0x7f, 1, 4)),
			&binary.Type{Pos: at, Resource: &binary.ResourceType{Rep: 0x7f, Destructor: &four}}},
		{"type of an instance", section(encode.Type, cat(raw(0x42), encode.Vec(cat(raw(4), encode.Extern("r"), raw(3, 1))))),
			&binary.Type{Pos: at, Instance: &binary.InstanceType{Declarations: []binary.Definition{&binary.ExportDecl{Pos: at + 3,
				ExternName: binary.ExternName{Name: "r"}, Type: binary.ExternType{Sort: binary.SortType, SubResource: true}}}}}},
		{"lift", section(encode.Canon, raw(0, 0, 5, 2, 0x01, 0x03, 4, 6)),
			&binary.Lift{Pos: at, CoreFunc: 5, Options: binary.Options{Encoding: binary.UTF16, Memory: &four}, Type: 6}},
		{"lower", section(encode.Canon, raw(1, 0, 5, 1, 0x04, 4)),
			&binary.Lower{Pos: at, Func: 5, Options: binary.Options{Realloc: &four}}},
		{"built-in of a resource type", section(encode.Canon, raw(4, 3)), &binary.ResourceFunc{Pos: at, Op: binary.ResourceRep, Type: 3}},
		{"import of a core module", section(encode.Import, cat(encode.Extern("m"), raw(0, 0x11, 4))),
			&binary.Import{Pos: at, ExternName: binary.ExternName{Name: "m"}, Type: binary.ExternType{Sort: binary.SortCoreModule, Index: 4}}},
		{"export with a type", section(encode.Export, cat(raw(1), name("go-1"), raw(1, 2, 1, 1, 4))),
			&binary.Export{Pos: at, ExternName: binary.ExternName{Name: "go-1"}, SortIndex: binary.SortIndex{Sort: binary.SortFunc, Index: 2},
				Type: &binary.ExternType{Sort: binary.SortFunc, Index: 4}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := binary.Decode(tt.wasm)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Definitions) != 1 || !reflect.DeepEqual(c.Definitions[0], tt.want) {
				t.Errorf("got %+v, want %+v", c.Definitions, tt.want)
			}
		})
	}
}

func TestAttributesOfNames(t *testing.T) {
	attrs := encode.Vec(cat(raw(0), name("a:b/c@1")), cat(raw(1), name(".2.3")), cat(raw(2), name("öde")))
	c, err := binary.Decode(section(encode.Import, cat(raw(2), name("x"), attrs, raw(5, 0))))
	if err != nil {
		t.Fatal(err)
	}
	n := c.Definitions[0].(*binary.Import).ExternName
	if n.Name != "x" || n.Implements != "a:b/c@1" || n.VersionSuffix != ".2.3" || n.ExternalID != "öde" || !n.HasImplements() || !n.HasVersionSuffix() {
		t.Errorf("got %+v", n)
	}
}

func TestBadFiles(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wasm   []byte
		offset int
		reason string
	}{
		{"an empty file", nil, 0, "does not begin as a component"},
		{"a core module", []byte("\x00asm\x01\x00\x00\x00"), 0, "core module and not a component"},
		{"an unknown layer", []byte("\x00asm\x0d\x00\x07\x00"), 0, "not known"},
		{"an unknown section", encode.Component(encode.Raw(77, nil)), 8, "section 77"},
		{"a section of 4 GiB", cat([]byte(encode.Preamble), raw(7, 0xff, 0xff, 0xff, 0xff, 0x0f)), 14, "4294967295 bytes announced, 0 left"},
		{"a section that is longer than its contents", encode.Component(encode.Raw(encode.Type, raw(1, 0x7f, 0))), 12, "1 bytes too many"},
		{"a section that is shorter than its contents", encode.Component(encode.Raw(encode.Type, raw(2, 0x7f))), 10, "2 types announced, 1 bytes left"},
		{"a number of more than 32 bits", encode.Component(encode.Raw(encode.Type, raw(0xff, 0xff, 0xff, 0xff, 0x1f))), 10, "larger than 32 bits"},
		{"a number that does not end", encode.Component(encode.Raw(encode.Type, raw(0x80))), 11, "unexpected end"},
		{"a type index of more than 33 bits", section(encode.Type, raw(0x70, 0xff, 0xff, 0xff, 0xff, 0x1f)), 12, "larger than 33 bits"},
		{"a core module that is none", encode.Component(encode.Raw(encode.CoreModule, []byte(encode.Preamble))), 10, "core module"},
		{"a component that is none", encode.Component(encode.Raw(encode.Nested, []byte("\x00asm"))), 10, "does not begin"},
		{"a name that is not UTF-8", section(encode.Import, cat(encode.Extern("\xff"), raw(1, 0))), 12, "UTF-8"},
		{"the name of a custom section that is not UTF-8", encode.Component(encode.Raw(encode.Custom, name("\xff"))), 10, "UTF-8"},
		{"a name of an unknown kind", section(encode.Import, cat(raw(3), name("x"), raw(1, 0))), 11, "name of kind 0x03"},
		{"an attribute twice", section(encode.Import, cat(raw(2), name("x"), encode.Vec(cat(raw(2), name("a")), cat(raw(2), name("a"))), raw(1, 0))), 18, "twice"},
		{"an unknown attribute", section(encode.Import, cat(raw(2), name("x"), encode.Vec(cat(raw(3), name("a"))), raw(1, 0))), 15, "not known"},
		{"an unknown type", section(encode.Type, raw(0x55)), 11, "type 0x55"},
		{"an unknown type of a value", section(encode.Type, raw(0x70, 0x6c)), 12, "value type 0x6c"},
		{"an unknown core type", section(encode.CoreType, raw(0x77)), 11, "core type 0x77"},
		{"an unknown core value type", section(encode.CoreType, raw(0x60, 1, 0x12, 0)), 13, "core value type 0x12"},
		{"an unknown declaration", section(encode.Type, raw(0x42, 1, 9)), 13, "declaration 0x09"},
		{"an import in the type of an instance", section(encode.Type, cat(raw(0x42, 1, 3), encode.Extern("x"), raw(1, 0))), 13, "declaration 0x03"},
		{"an unknown canonical function", section(encode.Canon, raw(0x99)), 11, "canonical function 0x99"},
		{"an unknown option", section(encode.Canon, raw(1, 0, 0, 1, 0x42)), 15, "option 0x42"},
		{"two encodings", section(encode.Canon, raw(1, 0, 0, 2, 0, 1)), 16, "given twice"},
		{"a memory twice", section(encode.Canon, raw(1, 0, 0, 2, 3, 0, 3, 0)), 17, "given twice"},
		{"an unknown sort", section(encode.Alias, raw(9, 2, 0, 0)), 11, "sort 0x09"},
		{"an unknown core sort", section(encode.Alias, raw(0, 9, 2, 0, 0)), 12, "core sort 0x09"},
		{"an export of a core function", section(encode.Export, cat(encode.Extern("f"), raw(0, 0, 0, 0))), 14, "cannot be imported or exported"},
		{"an outer alias of a function", section(encode.Alias, raw(1, 2, 0, 0)), 11, "cannot be of a function"},
		{"a core function that an instance exports", section(encode.Alias, cat(raw(0, 0, 0, 0), name("f"))), 11, "exports no core function"},
		{"a function that a core instance exports", section(encode.Alias, cat(raw(1, 1, 0), name("f"))), 11, "exports no function"},
		{"a core instance that exports a module", section(encode.CoreInstance, cat(raw(1), encode.Vec(cat(name("m"), raw(0x11, 0))))), 15, "exports no core module"},
		{"a core argument that is no instance", section(encode.CoreInstance, cat(raw(0, 0), encode.Vec(cat(name("m"), raw(0, 0))))), 16, "only 0x12"},
		{"an optional type that is neither there nor not", section(encode.Type, raw(0x6a, 2, 0)), 12, "neither 0 nor 1"},
		{"a variant with a third part", section(encode.Type, cat(raw(0x71, 1), name("a"), raw(0, 1))), 16, "end of a case"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := failure(t, tt.wasm)
			if e.Offset != tt.offset || !strings.Contains(e.Reason, tt.reason) || e.Unsupported || e.Limit {
				t.Errorf("got %+v, want offset %d and %q", e, tt.offset, tt.reason)
			}
		})
	}
}

func TestWhatIsToComeIsRefusedByName(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wasm   []byte
		reason string
	}{
		{"an older version", []byte("\x00asm\x0a\x00\x01\x00"), "version 0xa"},
		{"a function that is async", section(encode.Type, raw(0x43, 0, 1, 0)), "async function: WASI 0.3 is not supported yet (mayfly has 0.2)"},
		{"a lift that is async", section(encode.Canon, raw(0, 0, 0, 1, 6, 0)), "async lift: WASI 0.3"},
		{"a lower that is async", section(encode.Canon, raw(1, 0, 0, 1, 6)), "async lower: WASI 0.3"},
		{"a callback", section(encode.Canon, raw(0, 0, 0, 1, 7, 0, 0)), "callback"},
		{"a built-in of tasks", section(encode.Canon, raw(9, 1, 0, 0)), "task.return"},
		{"a built-in of threads", section(encode.Canon, raw(0x26)), "thread.index"},
		{"a stream", section(encode.Type, raw(0x66, 0)), "stream"},
		{"a future", section(encode.Type, raw(0x65, 0)), "future"},
		{"an error context as a type", section(encode.Type, raw(0x64)), "error-context"},
		{"an error context in a type", section(encode.Type, raw(0x70, 0x64)), "error-context"},
		{"a map", section(encode.Type, raw(0x63, 0x73, 0x7d)), "map"},
		{"a start function", encode.Component(encode.Raw(encode.Start, raw(0, 0, 0))), "start"},
		{"a value", encode.Component(encode.Raw(encode.Values, raw(0))), "values"},
		{"an import of a value", section(encode.Import, cat(encode.Extern("x"), raw(2, 1, 0x7f))), "values"},
		{"a garbage collected type", section(encode.CoreType, raw(0x5f, 0)), "garbage"},
		{"a lower with garbage collected types", section(encode.Canon, raw(1, 0, 0, 1, 9)), "garbage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := failure(t, tt.wasm)
			if !errors.Is(e, binary.ErrUnsupported) || !strings.Contains(e.Reason, tt.reason) {
				t.Errorf("got %+v, want %q", e, tt.reason)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	nestedTypes := func(depth int) []byte {
		b := []byte{0x42, 0}
		for range depth {
			b = cat(raw(0x42, 1, 1), b)
		}
		return section(encode.Type, b)
	}
	many := make([][]byte, 200)
	for i := range many {
		many[i] = cat(raw(0x6e), encode.U32(9000), make([]byte, 9000)) // flags without names
	}
	for _, tt := range []struct {
		name   string
		wasm   []byte
		reason string
	}{
		{"10,000 nested components", nestedComponents(10_000), "nested more than 100 deep"},
		{"10,000 nested types", nestedTypes(10_000), "nested more than 100 deep"},
		{"a name of 1 MB", section(encode.Import, cat(encode.Extern(strings.Repeat("x", 1<<20)), raw(1, 0))), "a name of 1048576 bytes"},
		{"more parameters than a function may have", section(encode.Type, cat(raw(0x40), encode.U32(2000), make([]byte, 4000))), "2000 parameters: at most 1000"},
		{"1.8 million flags", section(encode.Type, many...), "definitions, fields, arguments and names in all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e := failure(t, tt.wasm)
			runtime.ReadMemStats(&after)
			if !e.Limit || !strings.Contains(e.Reason, tt.reason) {
				t.Errorf("got %+v, want %q", e, tt.reason)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d bytes of memory for a file of %d", used, len(tt.wasm))
			}
		})
	}
	if _, err := binary.Decode(nestedComponents(90)); err != nil {
		t.Errorf("90 nested components: %v", err)
	}
	if _, err := binary.Decode(nestedTypes(90)); err != nil {
		t.Errorf("90 nested types: %v", err)
	}
}

// nestedComponents is a component in a component, and so on.
func nestedComponents(n int) []byte {
	const header = 6 // of a section whose size takes 5 bytes
	each := len(encode.Preamble) + header
	b := make([]byte, 0, n*each)
	for inner := (n - 1) * each; inner >= 0; inner -= each {
		b = append(b, encode.Preamble...)
		if inner > 0 {
			size := inner - header
			b = append(b, encode.Nested, byte(size)|0x80, byte(size>>7)|0x80, byte(size>>14)|0x80, byte(size>>21)|0x80, 0)
		}
	}
	return b
}

func failure(t *testing.T, wasm []byte) *binary.Error {
	t.Helper()
	c, err := binary.Decode(wasm)
	var e *binary.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %+v and error %v", c, err)
	}
	return e
}

func TestNames(t *testing.T) {
	c := testdata(t, "resources")
	if got := c.Names.Of(binary.SortInstance, 0); got != "host" {
		t.Errorf("the first instance is called %q", got)
	}
	if got := c.Names.Of(binary.SortCoreFunc, 0) + c.Names.Of(binary.SortInstance, 99); got != "" {
		t.Errorf("things without names are called %q", got)
	}
	if len(c.Customs) != 1 || c.Customs[0].Name != "component-name" {
		t.Errorf("custom sections: %+v", c.Customs)
	}
	broken, err := binary.Decode(encode.Component(encode.Raw(encode.Custom, cat(name("component-name"), raw(1, 3, 1, 9, 9)))))
	if err != nil || broken.Names.Of(binary.SortFunc, 0) != "" {
		t.Errorf("a broken section of names: %v", err)
	}
}

// TestAFileThatIsCutShortIsGoodBetweenSectionsOnly cuts files at each byte.
func TestAFileThatIsCutShortIsGoodBetweenSectionsOnly(t *testing.T) {
	for _, wasm := range samples(t) {
		ends := map[int]bool{}
		for at := len(encode.Preamble); at < len(wasm); {
			ends[at] = true
			size, n := stdbinary.Uvarint(wasm[at+1:])
			at += 1 + n + int(size)
		}
		for n := range wasm {
			if _, err := binary.Decode(wasm[:n]); (err == nil) != ends[n] {
				t.Errorf("cut to %d bytes: %v", n, err)
			}
		}
	}
}

func testdata(t testing.TB, name string) *binary.Component {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := binary.Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func samples(t testing.TB) (all [][]byte) {
	files, _ := filepath.Glob("testdata/*.wasm")
	if len(files) == 0 {
		t.Fatal("no testdata")
	}
	for _, f := range files {
		wasm, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, wasm)
	}
	return all
}
